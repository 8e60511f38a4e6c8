import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
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
        const descriptor = openSync(join(folder, String(this.#descriptors.size)), 'wx+', 0o600);
        this.#descriptors.set(name, descriptor);
        // Whole or not at all: a disk that fills up may take a part of what is written.
        writeFileSync(descriptor, content);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Those that are held open. */
  get descriptors(): Iterable<number> {
    return this.#descriptors.values();
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
