import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownProcess } from '@switchyard/runtime';
import { compiledCopy } from '../../tools/program/compile.mjs';
import { judgeLife, treeOf } from './judge-steps.ts';

/** One repository with a state folder beside it, in which processes live and end. */
class StepsPlace {
  readonly folder: string;
  private readonly program: readonly string[];

  constructor(template: string, program: readonly string[]) {
    this.program = program;
    this.folder = mkdtempSync(join(tmpdir(), 'sy-steps-'));
    cpSync(template, join(this.folder, 'repository'), { recursive: true });
    mkdirSync(join(this.folder, 'worker'));
  }

  /** One life; the answer is what it said before it ended, and how that was. */
  live(target?: string): Promise<Life> {
    const args = [...this.program, this.folder, ...(target === undefined ? [] : [target])];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: lifeMsMax,
      killSignal: 'SIGTERM',
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal, said }));
    });
  }

  /** The steps of the life that has ended undisturbed. */
  steps(): string[] {
    return JSON.parse(readFileSync(join(this.folder, 'points.json'), 'utf8')) as string[];
  }

  wasKilled(): boolean {
    return existsSync(join(this.folder, 'killed'));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface Life {
  readonly code: number | null;
  readonly signal: string | null;
  readonly said: string;
}

/** A life that hangs is a violation. */
const lifeMsMax = 90_000;

/** What became of a kill at one step. */
export interface StepOutcome {
  readonly step: string;
  /** The process was killed there; false: this time the step was not met. */
  readonly met: boolean;
  readonly violations: readonly string[];
}

export interface KillStepsOptions {
  /** Which of the steps of the undisturbed life; absent: all. */
  readonly choose?: (steps: readonly string[]) => readonly string[];
  readonly say?: (outcome: StepOutcome) => void;
  /** Lives at the same time. */
  readonly parallel?: number;
}

/**
 * An undisturbed life tells the steps; then, for each, one that is killed there and one after it that has to end as the
 * undisturbed one.
 */
export async function killAtSteps(options: KillStepsOptions = {}): Promise<readonly StepOutcome[]> {
  const template = makeRepository();
  const program = await stepProgram();
  const newPlace = (): StepsPlace => new StepsPlace(template, program);
  try {
    const undisturbed = newPlace();
    const wrong = await endWell(undisturbed);
    if (wrong.length > 0) throw new Error(`without a kill: ${wrong.join('; ')}`);
    const [steps, tree] = [undisturbed.steps(), treeOf(undisturbed.folder)];
    undisturbed.remove();
    const left = [...(options.choose?.(steps) ?? steps)];
    const outcomes: StepOutcome[] = [];
    const work = async (): Promise<void> => {
      for (let step = left.shift(); step !== undefined; step = left.shift()) {
        const outcome = await killAt(step, newPlace(), tree);
        options.say?.(outcome);
        outcomes.push(outcome);
      }
    };
    await Promise.all(Array.from({ length: options.parallel ?? 2 }, work));
    return outcomes;
  } finally {
    rmSync(template, { recursive: true, force: true });
  }
}

async function killAt(step: string, place: StepsPlace, tree: string): Promise<StepOutcome> {
  const life = await place.live(step);
  const met = place.wasKilled();
  const first = met || life.code === 0 ? [] : [`the first life ended with ${life.code}: ${life.said}`];
  const violations = [...first, ...(await endWell(place, tree))];
  if (violations.length === 0) place.remove();
  else violations.push(`left in ${place.folder}`);
  return { step, met, violations };
}

/** Compiled, where that is possible: hundreds of lives begin. */
async function stepProgram(): Promise<readonly string[]> {
  const source = 'test/chaos/step-process.ts';
  const copy = await compiledCopy([source]);
  if (copy !== undefined) return [join(copy, source.replace(/\.ts$/, '.mjs'))];
  const { entry, execArgv } = ownProcess(new URL('./step-process.ts', import.meta.url));
  return [...execArgv, entry];
}

/** A life to the end, and what is wrong with what it leaves. */
async function endWell(place: StepsPlace, tree?: string): Promise<string[]> {
  const { code, signal, said } = await place.live();
  if (code !== 0) return [`the next life ended with ${code ?? signal}: ${said}`];
  return judgeLife(place.folder, tree);
}

/** A user's repository with a commit, and a file in it that nobody told git of. */
function makeRepository(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sy-steps-repository-'));
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=A User', '-c', 'user.email=user@example.org', ...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null' },
      encoding: 'utf8',
    });
  git('init', '-q', '-b', 'main');
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'src', 'index.ts'), 'export {};\n');
  git('add', '-A');
  git('commit', '-q', '-m', 'first');
  writeFileSync(join(folder, 'mine.txt'), 'mine\n');
  return folder;
}
