import { join } from 'node:path';
import { openSandbox, type Sandbox } from '@switchyard/guard';
import { openObjectCache, type ObjectCache, type SandboxRun } from '@switchyard/repo';
import { silentLogger, systemClock } from '@switchyard/runtime';
import { GitHub } from './git-hub.ts';

/** The guard's sandbox as this package asks for it. */
export function sandboxRun(sandbox: Sandbox): SandboxRun {
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

/** Opens the real sandbox of this machine. */
export function realSandbox(): Promise<Sandbox> {
  return openSandbox({ mode: 'auto', logger: silentLogger(), clock: systemClock });
}

/** A hub and a worker's cache of it. */
export class CacheBench {
  readonly hub: GitHub;
  readonly sandbox: SandboxRun;
  private readonly opened: ObjectCache[] = [];
  private folders = 0;

  constructor(sandbox: Sandbox, format: 'sha1' | 'sha256' = 'sha1') {
    this.hub = new GitHub(format);
    this.sandbox = sandboxRun(sandbox);
  }

  async open(
    options: { url?: string | (() => string); token?: string; fingerprint?: string; folder?: string } = {},
  ): Promise<ObjectCache> {
    const { token = this.hub.token, fingerprint } = options;
    const cache = await openObjectCache({
      folder: options.folder ?? join(this.hub.root, 'cache'),
      url: options.url ?? (await this.hub.listen()),
      token: () => token,
      ...(fingerprint !== undefined && { fingerprint }),
      logger: silentLogger(),
      sandbox: this.sandbox,
    });
    this.opened.push(cache);
    return cache;
  }

  /** A name for a folder that is not there yet. */
  folder(): string {
    this.folders += 1;
    return join(this.hub.root, `folder-${this.folders}`);
  }

  async close(): Promise<void> {
    for (const cache of this.opened) await cache.close();
    await this.hub.close();
  }
}
