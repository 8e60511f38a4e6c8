import { copyFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, removeTree } from '@switchyard/runtime';
import { buildTree, commitTree, type BuiltTree } from './attempt-commit.ts';
import type { AttemptPlace } from './attempt-place.ts';
import type { AttemptParts, Snapshot, SnapshotRequest } from './attempt-request.ts';
import { lstatIfThere } from './lstat-if-there.ts';

/**
 * Snapshots of one attempt's work, built as its commit is, with an index and objects of their own, so that the
 * attempt's result is not touched. Processes of the attempt may be at work: names may lead elsewhere at any moment,
 * so git that reads contents sees no more than the attempt does, and whoever keeps a snapshot checks it as a result.
 */
export class AttemptSnapshots {
  private readonly parts: AttemptParts;
  private last: (Snapshot & { readonly tree: string }) | undefined;
  private count = 0;

  constructor(parts: AttemptParts) {
    this.parts = parts;
  }

  async take(request: SnapshotRequest): Promise<Snapshot | undefined> {
    const { place } = this.parts;
    this.count += 1;
    const name = `snapshot-${this.count}`;
    try {
      const aside = await openAside(place, name);
      const parts = { ...this.parts, place: aside, live: { read: await readable(place.tree, request) } };
      return await this.keep(await buildTree(request, parts), request, parts);
    } finally {
      await removeTree(join(place.folder, name));
    }
  }

  private async keep(
    { tree, files, outside }: BuiltTree,
    request: SnapshotRequest,
    parts: AttemptParts,
  ): Promise<Snapshot | undefined> {
    if (files.length === 0) return undefined;
    if (this.last?.tree === tree) return this.last;
    this.last = { tree, commit: await commitTree(tree, request, parts), files, outside };
    return this.last;
  }
}

async function openAside(place: AttemptPlace, name: string): Promise<AttemptPlace> {
  const aside = place.aside(name);
  await makeFolder(aside.indexFolder);
  await makeFolder(aside.objects);
  const { atime, mtimeMs } = await stat(place.index);
  await copyFile(place.index, aside.index);
  // By the time of the index git tells which files may have changed since without a later time of their own.
  await utimes(aside.index, atime, Math.floor(mtimeMs / 1000));
  return aside;
}

/** What git may read: the checkout, or of an attempt that may not read all of it those of its places that are there. */
async function readable(tree: string, { workspace, workspaceOnly }: SnapshotRequest): Promise<string[]> {
  if (!workspaceOnly) return [tree];
  const places = workspace.map((path) => join(tree, path));
  const there = await Promise.all(places.map(lstatIfThere));
  return places.filter((_, at) => there[at] !== undefined);
}
