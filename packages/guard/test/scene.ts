import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import {
  openSandbox,
  type Sandbox,
  type SandboxMount,
  type SandboxOptions,
  type SandboxRequest,
} from '@switchyard/guard';
import { silentLogger, systemClock } from '@switchyard/runtime';

/** A workspace, a readable folder and an outside with a secret, new for each test. */
export interface Scene {
  base: string;
  workspace: string;
  readable: string;
  outside: string;
}

export function useScene(): Scene {
  const scene: Scene = { base: '', workspace: '', readable: '', outside: '' };
  const made: string[] = [];
  beforeEach(() => {
    scene.base = realpathSync(mkdtempSync(join(tmpdir(), 'guard-test-')));
    made.push(scene.base);
    scene.workspace = join(scene.base, 'ws');
    scene.readable = join(scene.base, 'ro');
    scene.outside = join(scene.base, 'outside');
    for (const folder of [scene.workspace, scene.readable, scene.outside]) mkdirSync(folder);
    writeFileSync(join(scene.readable, 'r.txt'), 'READABLE');
    writeFileSync(join(scene.outside, 'secret.txt'), 'SECRET');
  });
  afterAll(() => {
    for (const folder of made) rmSync(folder, { recursive: true, force: true });
  });
  return scene;
}

export const openOptions = (more: Partial<SandboxOptions> = {}): SandboxOptions => ({
  mode: 'auto',
  logger: silentLogger(),
  clock: systemClock,
  ...more,
});

/** A real sandbox for all tests of a file; where there is none the tests fail with the command that mends it. */
export function useSandbox(more: Partial<SandboxOptions> = {}): { readonly sandbox: Sandbox } {
  let opened: Sandbox | undefined;
  beforeAll(async () => {
    opened = await openSandbox(openOptions(more));
  });
  afterAll(async () => {
    await opened?.close();
  });
  return {
    get sandbox() {
      if (opened === undefined) throw new Error('the sandbox is not open');
      return opened;
    },
  };
}

/** A request for a shell line in the scene's workspace. */
export function shell(scene: Scene, line: string, more: Partial<SandboxRequest> = {}): SandboxRequest {
  const mounts: SandboxMount[] = [
    { kind: 'read', source: scene.readable },
    { kind: 'write', source: scene.workspace },
  ];
  return {
    argv: ['sh', '-c', line],
    cwd: scene.workspace,
    mounts,
    env: {},
    network: 'none',
    timeoutMs: 10_000,
    ...more,
  };
}

/** Processes of the host with this word in their command line. */
export function processesWith(word: string): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandLine(name).includes(word));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ');
  } catch {
    return ''; // it has just ended
  }
}
