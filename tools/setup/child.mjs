// Child processes of the set-up scripts.
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';

/** Runs a program and gives back what it printed; `code` is null when there is no such program. */
export function capture(program, args, options = {}) {
  const ended = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, ...options });
  const code = ended.error?.code === 'ENOENT' ? null : (ended.status ?? 1);
  return { code, output: `${ended.stdout ?? ''}${ended.stderr ?? ''}`, stdout: ended.stdout ?? '' };
}

/** Runs a program on this terminal until it ends; ctrl-C reaches it, and we wait for it. Its exit code. */
export function runHere(program, args, options = {}) {
  return endOf(spawn(program, args, { stdio: 'inherit', ...options }));
}

/** Like `capture`, with our own loop free, so that ctrl-C is passed on and waited for. */
export async function captureLater(program, args, options = {}) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk) => (output += chunk));
  return { code: await endOf(child), output };
}

function endOf(child) {
  return new Promise((resolve, reject) => {
    // A terminal sends ctrl-C to both; one told to us alone is passed on.
    const onInterrupt = () => undefined;
    const onTerminate = () => child.kill('SIGTERM');
    process.on('SIGINT', onInterrupt);
    process.on('SIGTERM', onTerminate);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}
