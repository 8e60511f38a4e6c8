import type { RunCommand } from '@switchyard/analyzers';
import type { Sandbox } from '@switchyard/guard';

/** Engines print reports of whole checkouts. */
const outputBytesMax = 64 * 1024 * 1024;

/** Runs an engine's program in the sandbox: the checkout and the engine read-only, no network, nothing else. */
export function sandboxedRun(
  sandbox: Sandbox,
  place: {
    readonly checkout: string;
    readonly engineReadPaths: readonly string[];
    readonly signal: AbortSignal;
  },
): RunCommand {
  return async (argv, cwd, options) => {
    const result = await sandbox.run({
      argv,
      cwd,
      mounts: [place.checkout, ...place.engineReadPaths].map((source) => ({ kind: 'read', source })),
      env: {},
      network: 'none',
      timeoutMs: options?.timeoutMs ?? 60_000,
      limits: { outputBytes: outputBytesMax },
      signal: place.signal,
      separateStreams: true,
    });
    return {
      exitCode: result.exitCode,
      stdout: new TextDecoder().decode(result.stdout),
      stderr: result.stderr ?? result.output,
    };
  };
}
