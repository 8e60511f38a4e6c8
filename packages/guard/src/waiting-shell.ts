/**
 * A shell that is started before it is needed. To start a program, a process is copied first, and for one as large as
 * a daemon that takes longer than the program's own start; a shell is small.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';

/** Of this process: one waits once there was need of one, for as long as this process lives. */
let waiting: ChildProcess | undefined;

/**
 * Runs lines for a POSIX shell, without input or output of their own, in an environment that holds LC_ALL alone. Its
 * exit code; null where it could not be started or was killed.
 */
export async function runInShell(lines: string): Promise<number | null> {
  const shell = waiting ?? start();
  waiting = undefined;
  if (shell === undefined) return null;
  setAwaited(shell, true);
  // One compound command: it is read whole before any of it is done.
  shell.stdin?.end(`{ ${lines}\n}\n`);
  const code = await new Promise<number | null>((resolve) => {
    shell.once('error', () => resolve(null));
    shell.once('close', (exitCode) => resolve(exitCode));
  });
  setImmediate(() => (waiting ??= start()));
  return code;
}

/** Undefined where no process is to be had: whoever needs one is told so. */
function start(): ChildProcess | undefined {
  let shell: ChildProcess;
  try {
    shell = spawn('/bin/sh', ['-s'], {
      cwd: '/',
      env: { LC_ALL: 'C' },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
  } catch {
    return undefined;
  }
  const forget = (): void => {
    if (waiting === shell) waiting = undefined;
  };
  // Whoever has it then is told as well.
  shell.once('error', forget).once('exit', forget);
  shell.stdin?.on('error', () => undefined);
  setAwaited(shell, false);
  return shell;
}

/** One that only waits keeps no process alive: it ends when its input does. */
function setAwaited(shell: ChildProcess, isAwaited: boolean): void {
  for (const handle of [shell, shell.stdin as Socket | null]) handle?.[isAwaited ? 'ref' : 'unref']();
}
