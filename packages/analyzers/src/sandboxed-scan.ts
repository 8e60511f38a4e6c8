import type { ScanStreams, StartScan } from './scan-child.ts';

/** What is needed of a sandbox here; the guard's fits it. */
export interface ScanSandbox {
  start(request: {
    readonly argv: readonly string[];
    readonly cwd: string;
    readonly mounts: readonly { readonly kind: 'read'; readonly source: string }[];
    readonly env: Readonly<Record<string, string>>;
    readonly network: 'none';
    readonly timeoutMs: number;
    readonly limits: {
      readonly memoryBytes: number;
      readonly processes: number;
      readonly fileBytes: number;
      readonly tmpBytes: number;
    };
  }): Promise<ScanStreams>;
}

const MiB = 1024 * 1024;

/** Each file has a time of its own, and an idle process ends; this is for one that both forget. */
const lifeMs = 24 * 60 * 60_000;

/** The scan process in the sandbox: it sees its own program, gets texts and gives findings, and has nothing else. */
export function sandboxedScan(sandbox: ScanSandbox): StartScan {
  return ({ argv, readPaths }) =>
    sandbox.start({
      argv,
      cwd: '/',
      mounts: readPaths.map((source) => ({ kind: 'read', source })),
      env: {},
      network: 'none',
      timeoutMs: lifeMs,
      limits: { memoryBytes: 2048 * MiB, processes: 128, fileBytes: 64 * MiB, tmpBytes: 64 * MiB },
    });
}
