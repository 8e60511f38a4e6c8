import { closeSync, constants, existsSync, openSync, readlinkSync } from 'node:fs';
import { AppError } from '@switchyard/protocol';
import { O_PATH } from './descriptor.ts';
import { findListing, gnuFind } from './find-listing.ts';
import { Snapshot } from './snapshot.ts';
import { walkListing } from './walk-listing.ts';

export interface SnapshotOptions {
  /** Paths below the root that are left out with all that is in them: layers, scratch places. */
  readonly exclude?: readonly string[];
  /** What it will be compared with: it tells how a large tree is best looked at. */
  readonly since?: Snapshot;
}

/** Takes a snapshot without following a link. Throws E_IO when the root cannot be read. */
export async function takeSnapshot(
  root: string,
  { exclude = [], since }: SnapshotOptions = {},
): Promise<Snapshot> {
  let descriptor: number;
  try {
    descriptor = openSync(root, O_PATH | constants.O_DIRECTORY);
  } catch (error) {
    throw new AppError('E_IO', `The folder ${root} cannot be opened`, { cause: error });
  }
  try {
    const path = readlinkSync(`/proc/self/fd/${descriptor}`);
    const search = { descriptor, exclude: new Set(exclude) };
    if (!existsSync(gnuFind)) return new Snapshot(path, walkListing(search));
    return new Snapshot(path, await findListing(search, since?.listing));
  } finally {
    closeSync(descriptor);
  }
}
