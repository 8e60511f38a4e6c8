import { execFile, spawn } from 'node:child_process';
import type { RunCommand, StartScan } from '@switchyard/analyzers';

/** Runs a program on this machine without a sandbox, for tests. */
export const plainRun: RunCommand = (argv, cwd, options) =>
  new Promise((resolve) => {
    const [file = '', ...rest] = argv;
    execFile(
      file,
      rest,
      { cwd, timeout: options?.timeoutMs ?? 0, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 128;
        resolve({ exitCode: code, stdout, stderr });
      },
    );
  });

/** Runs the scan process on this machine without a sandbox, for tests. */
export const plainScan: StartScan = ({ argv: [program = '', ...words] }) => {
  const child = spawn(program, words, { env: {}, stdio: 'pipe' });
  const ended = new Promise<{ exitCode: number }>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve({ exitCode: code ?? 137 }));
  });
  child.stdin.on('error', () => undefined);
  const { stdin, stdout, stderr } = child;
  return Promise.resolve({ stdin, stdout, stderr, ended, kill: () => void child.kill('SIGKILL') });
};
