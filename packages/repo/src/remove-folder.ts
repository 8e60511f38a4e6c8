import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SandboxRun } from './sandbox-run.ts';

/**
 * Removes a folder that an attempt may have filled with anything. What Node cannot remove (folders without
 * permissions, paths longer than the system takes) the system's own tools do.
 */
export async function removeFolder(folder: string, sandbox: SandboxRun): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // Tried again below with more means.
    const script =
      'chmod -R u+rwX -- "$1"; find "$1" -mindepth 1 -delete 2>/dev/null; rm -rf -- "$1"/* "$1"/.[!.]*';
    await sandbox({
      argv: ['sh', '-c', script, 'sh', folder],
      cwd: dirname(folder),
      write: [folder],
      read: [],
      env: {},
      timeoutMs: 120_000,
    });
    await rm(folder, { recursive: true, force: true });
  }
}
