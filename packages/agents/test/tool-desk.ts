import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { attemptPathPolicy, openPathGuard, type PathGuard } from '@switchyard/guard';
import {
  builtInModes,
  openToolbox,
  type CommandResult,
  type ToolCommand,
  type ToolOutcome,
  type ToolPorts,
  type ToolRights,
} from '../src/index.ts';

export const worker = modeOf('worker');
export const orchestrator = modeOf('orchestrator');

export function modeOf(slug: string): ToolRights {
  const mode = builtInModes.find((each) => each.slug === slug);
  if (mode === undefined) throw new Error(`no mode ${slug}`);
  return mode;
}

/** A checkout behind a real path guard, with commands that are only written down. */
export class ToolDesk {
  readonly root = mkdtempSync(join(tmpdir(), 'switchyard-tools-'));
  readonly tree = join(this.root, 'tree');
  readonly commands: ToolCommand[] = [];
  readonly guard: PathGuard;
  result: CommandResult = { exitCode: 0, ended: 'exited', output: 'fine\n', truncated: false, durationMs: 1 };

  constructor(
    files: Readonly<Record<string, string>>,
    { workspace = ['src'], reads = 'all' as 'all' | 'workspace' } = {},
  ) {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.tree, path)), { recursive: true });
      writeFileSync(join(this.tree, path), text);
    }
    this.guard = openPathGuard(attemptPathPolicy({ tree: this.tree, workspace, reads }));
  }

  ports(extra: Partial<ToolPorts> = {}): ToolPorts {
    return {
      files: this.guard,
      root: this.tree,
      signal: new AbortController().signal,
      run: async (command) => {
        this.commands.push(command);
        return this.result;
      },
      ...extra,
    };
  }

  call(name: string, input: unknown, rights: ToolRights = worker): Promise<ToolOutcome> {
    return openToolbox(rights, this.ports()).call(name, input);
  }

  /** The text that the model gets. */
  async text(name: string, input: unknown, rights: ToolRights = worker): Promise<string> {
    const outcome = await this.call(name, input, rights);
    if (outcome.kind !== 'answer') throw new Error(`no answer: ${JSON.stringify(outcome)}`);
    return outcome.text;
  }

  file(path: string): string {
    return readFileSync(join(this.tree, path), 'utf8');
  }

  close(): void {
    this.guard.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}
