import { constants } from 'node:fs';
import { cp } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeFolder } from '@switchyard/runtime';
import type { ReceiptMount } from './receipt-sandbox.ts';

/** Dependencies as the set-up made them: built once, never changed, bound read-only into checkouts. */
export interface Layer {
  readonly key: string;
  /** The layer's folder; `files/<path>` holds what belongs at `<path>` of a checkout. */
  readonly folder: string;
  /** Topmost paths that the set-up made. */
  readonly entries: readonly string[];
}

/** Places in which tools keep caches beside the packages; private and writable for each command. */
export const layerScratch = ['.cache', '.vite', '.vite-temp'] as const;

/**
 * Puts a layer into its places in a checkout, read-only, with writable scratch in it: where tools keep caches, and
 * where the plan's scratch paths lie.
 */
export function layerMounts(layer: Layer, tree: string, scratch: readonly string[] = []): ReceiptMount[] {
  return layer.entries.flatMap((entry): ReceiptMount[] => {
    const caches = basename(entry) === 'node_modules' ? layerScratch.map((name) => `${entry}/${name}`) : [];
    const asked = scratch.filter(
      (path) => path.startsWith(`${entry}/`) && !/[*?[\]{}]|(^|\/)\.\.(\/|$)/.test(path),
    );
    return [
      { kind: 'read', source: join(layer.folder, 'files', entry), target: join(tree, entry) },
      ...[...new Set([...caches, ...asked])].map((path): ReceiptMount => ({
        kind: 'scratch',
        target: join(tree, path),
      })),
    ];
  });
}

/** Without a sandbox nothing can be mounted: the layer is copied (by reference where the disk can). */
export async function copyLayer(layer: Layer, tree: string): Promise<void> {
  for (const entry of layer.entries) {
    const target = join(tree, entry);
    await makeFolder(dirname(target));
    await cp(join(layer.folder, 'files', entry), target, {
      recursive: true,
      verbatimSymlinks: true,
      mode: constants.COPYFILE_FICLONE,
    });
  }
}
