import type { Sandbox } from '@switchyard/guard';
import { openObjectCache, type ObjectCache, type SandboxRun } from '@switchyard/repo';
import type { Logger } from '@switchyard/runtime';
import type { HubPlace } from './hub-place.ts';

export interface ObjectSourceOptions {
  readonly folder: string;
  readonly locate: () => HubPlace;
  readonly token: () => string;
  readonly sandbox: Sandbox;
  readonly logger: Logger;
}

/** The worker's object cache, opened anew when the orchestrator comes back at another address. */
export function objectSource(options: ObjectSourceOptions): () => Promise<ObjectCache> {
  let opened: { url: string; cache: Promise<ObjectCache> } | undefined;
  return () => {
    const { httpUrl, fingerprint } = options.locate();
    const url = `${httpUrl}/git`;
    if (opened?.url === url) return opened.cache;
    const cache = openObjectCache({
      folder: options.folder,
      url,
      token: options.token,
      ...(fingerprint !== undefined && { fingerprint }),
      logger: options.logger,
      sandbox: sandboxedGit(options.sandbox),
    });
    opened = { url, cache };
    cache.catch(() => (opened = undefined));
    return cache;
  };
}

/** The guard's sandbox as `repo` asks for it: git on an attempt's tree sees only what it is given. */
export function sandboxedGit(sandbox: Sandbox): SandboxRun {
  return async (request) => {
    const result = await sandbox.run({
      argv: request.argv,
      cwd: request.cwd,
      mounts: [
        ...request.read.map((source) => ({ kind: 'read' as const, source })),
        ...request.write.map((source) => ({ kind: 'write' as const, source })),
      ],
      env: request.env,
      network: 'none',
      timeoutMs: request.timeoutMs,
      limits: { outputBytes: 64 * 1024 * 1024 },
      separateStreams: true,
      ...(request.stdin !== undefined && { stdin: request.stdin }),
    });
    return {
      exitCode: result.exitCode,
      stdout: result.stdout ?? new Uint8Array(),
      stderr: result.stderr ?? result.output,
    };
  };
}
