import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Small files that have no name: written once, opened anew for each command. Nobody else can open or change
 * them, and no cleaner of the temporary folder can take them away.
 */
export class PrivateFiles<Name extends string> {
  readonly #descriptors = new Map<Name, number>();

  constructor(contents: Readonly<Record<Name, string | Uint8Array>>) {
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-guard-'));
    try {
      for (const [name, content] of Object.entries(contents) as [Name, string | Uint8Array][]) {
        const descriptor = openSync(join(folder, name), 'wx+', 0o600);
        this.#descriptors.set(name, descriptor);
        writeSync(descriptor, Buffer.from(content));
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** A new descriptor at the start of the file; the caller closes it. */
  open(name: Name): number {
    return openSync(`/proc/self/fd/${this.#descriptors.get(name)}`, 'r');
  }

  /** Closing twice is fine. */
  close(): void {
    for (const descriptor of this.#descriptors.values()) closeSync(descriptor);
    this.#descriptors.clear();
  }
}
