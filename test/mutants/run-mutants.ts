/** Runs tests against sources of which one at a time is changed while it is loaded: no file is touched. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { createVitest, type TestModule, type Vitest } from 'vitest/node';
import { openCompiler } from './compiles.ts';
import { mutate, type Mutant } from './mutant.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * `killed` is what shall be; `broken`: it is no program, for the compiler or for what loads it, or failed otherwise than
 * by a test, which proves nothing.
 */
export interface Verdict {
  readonly mutant: Mutant;
  readonly fate: 'killed' | 'survived' | 'broken';
  /** The test that failed first, or what broke. */
  readonly by: string;
}

/** Runs the tests as they are, which must pass, then once for each mutant. */
export async function runMutants(
  mutants: readonly Mutant[],
  tell: (verdict: Verdict) => void,
): Promise<readonly Verdict[]> {
  const bench = await openBench();
  try {
    const tests = [...new Set(mutants.flatMap((mutant) => mutant.tests))];
    const whole = await bench.run(tests);
    if (whole.fate !== 'survived') throw new Error(`the tests fail without any mutant: ${whole.by}`);
    const verdicts: Verdict[] = [];
    for (const mutant of mutants) {
      const verdict = { mutant, ...(await bench.runWith(mutant)) };
      tell(verdict);
      verdicts.push(verdict);
    }
    return verdicts;
  } finally {
    await bench.close();
  }
}

type Outcome = Omit<Verdict, 'mutant'>;

async function openBench() {
  let current: Mutant | undefined;
  let isLoaded = false;
  const plugin = {
    name: 'mutant',
    enforce: 'pre' as const,
    transform(code: string, id: string) {
      if (current === undefined || id.split('?')[0] !== join(root, current.file)) return undefined;
      isLoaded = true;
      return { code: mutate(code, current), map: null };
    },
  };
  const vitest = await createVitest(
    'test',
    {
      root,
      config: join(root, 'tools/vitest/vitest.config.ts'),
      watch: false,
      // A mutant that makes its test hang is killed by it.
      testTimeout: 60_000,
      hookTimeout: 60_000,
      // No `bail`: it may cut off the word of the very test that failed, and then the mutant seems to survive.
      reporters: [{}],
    },
    { plugins: [plugin] },
  );
  const complaintOf = openCompiler();
  const run = (tests: readonly string[]): Promise<Outcome> => runTests(vitest, tests);
  const runWith = async (mutant: Mutant): Promise<Outcome> => {
    const broken = staleness(mutant) ?? complaintOf(mutant);
    if (broken !== undefined) return { fate: 'broken', by: broken };
    current = mutant;
    isLoaded = false;
    vitest.invalidateFile(join(root, mutant.file));
    try {
      const outcome = await run(mutant.tests);
      return isLoaded ? outcome : { fate: 'broken', by: `no test loads ${mutant.file}` };
    } finally {
      current = undefined;
      vitest.invalidateFile(join(root, mutant.file));
    }
  };
  return { run, runWith, close: () => vitest.close() };
}

/** Why a mutant has no place in the sources as they are now; undefined when it has. */
export function staleness(mutant: Mutant): string | undefined {
  try {
    mutate(readFileSync(join(root, mutant.file), 'utf8'), mutant);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

async function runTests(vitest: Vitest, files: readonly string[]): Promise<Outcome> {
  const project = vitest.getRootProject();
  const specifications = files.map((file) => project.createSpecification(join(root, file)));
  const result = await vitest.runTestSpecifications(specifications);
  const wanted = new Set(specifications.map(({ moduleId }) => moduleId));
  const testModules = result.testModules.filter(({ moduleId }) => wanted.has(moduleId)); // it keeps earlier ones
  process.exitCode = 0; // vitest leaves its own there; the verdicts decide
  const tests = testModules.flatMap((module) => [...module.children.allTests()]);
  const failed = tests.find((test) => test.result().state === 'failed');
  if (failed !== undefined) return { fate: 'killed', by: failed.fullName };
  const error = [...testModules.flatMap(errorsOf), ...result.unhandledErrors][0];
  // A suite that cannot be set up has failed its tests; a file that cannot be loaded has none.
  if (error !== undefined) return { fate: tests.length > 0 ? 'killed' : 'broken', by: messageOf(error) };
  const hasPassed = tests.some((test) => test.result().state === 'passed');
  return hasPassed ? { fate: 'survived', by: '' } : { fate: 'broken', by: 'no test ran' };
}

function errorsOf(module: TestModule): unknown[] {
  return [...module.errors(), ...[...module.children.allSuites()].flatMap((suite) => suite.errors())];
}

/** The first line, without colours. */
function messageOf(error: unknown): string {
  const hasMessage = typeof error === 'object' && error !== null && 'message' in error;
  const text = stripVTControlCharacters(hasMessage ? String(error.message) : String(error));
  return text.trim().split('\n')[0] ?? '';
}
