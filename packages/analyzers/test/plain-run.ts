import { execFile } from 'node:child_process';
import type { RunCommand } from '@switchyard/analyzers';

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
