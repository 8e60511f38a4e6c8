import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { compareSnapshots, Snapshot, takeSnapshot } from '@switchyard/guard';
import { findListing } from '../src/find-listing.ts';
import { recordStart } from '../src/listing-record.ts';
import { openNameless } from '../src/nameless-file.ts';
import { treeParts, wholeTree, type TreePart } from '../src/tree-parts.ts';
import { useScene } from './scene.ts';

const scene = useScene();
const ws = (name: string): string => join(scene.workspace, name);

/** 100 folders of 60 files, two levels down, with names that a shell or a glob would take for something else. */
function plant(): void {
  for (let folder = 0; folder < 100; folder += 1) {
    const at = ws(`src/deep/${['-n', '*', 'a b', '!'][folder % 4]}${folder}`);
    mkdirSync(at, { recursive: true });
    for (let file = 0; file < 60; file += 1) writeFileSync(join(at, `file${file}`), '');
  }
  for (const name of ['README', 'src/index', 'src/deep/new\nline']) writeFileSync(ws(name), '');
  mkdirSync(ws('src/deep/left/out'), { recursive: true });
}

function plantFew(): void {
  mkdirSync(ws('src/deep'), { recursive: true });
  for (const name of ['README', 'src/index', 'src/deep/new\nline']) writeFileSync(ws(name), '');
}

/** The listing that one `find` makes. */
const wholeListing = async (exclude: readonly string[] = []): Promise<Buffer> =>
  (await takeSnapshot(scene.workspace, { exclude })).listing;

async function withRoot<Result>(work: (descriptor: number) => Result | Promise<Result>): Promise<Result> {
  const descriptor = openSync(scene.workspace, 'r');
  try {
    return await work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

async function drain(fifo: number): Promise<void> {
  await pause(5);
  try {
    readSync(fifo, Buffer.alloc(65_536));
  } catch {
    // Nothing there at the moment, or closed by now.
  }
}

const look = (descriptor: number, parts: readonly TreePart[]): Promise<Buffer> =>
  findListing({ descriptor, exclude: new Set() }, undefined, { parts });

const partsSince = (since: Buffer | undefined): Promise<readonly TreePart[]> =>
  withRoot((descriptor) => treeParts(descriptor, since));

describe('a large tree is looked at in two parts', () => {
  it('of about the same size, below the folders that hold nearly all', async () => {
    plant();
    const parts = await partsSince(await wholeListing());
    expect(parts.map(({ shallow }) => shallow.slice(0, 2))).toEqual([['./src', './src/deep'], []]);
    expect(parts[0]?.starts).toEqual(expect.arrayContaining([...(parts[0]?.shallow ?? [])]));
    const folders = parts.map(({ starts }) => starts.filter((path) => path.split('/').length === 4).length);
    expect(Math.min(...folders)).toBeGreaterThan(30);
  });

  it('that are, one behind the other, what one look lists, letter for letter', async () => {
    plant();
    const listing = await wholeListing();
    expect(await partsSince(listing)).toHaveLength(2);
    const since = await takeSnapshot(scene.workspace);
    const { listing: again } = await takeSnapshot(scene.workspace, { since });
    expect(again.equals(listing)).toBe(true);
  });

  it('wherever the cut is', async () => {
    plant();
    const listing = await wholeListing();
    for (let share = 0.02; share < 1; share += 0.13) {
      // Rotated, so that its middle is any place of the tree.
      const start = recordStart(listing, Math.floor(listing.length * share));
      const since = Buffer.concat([listing.subarray(start), listing.subarray(0, start)]);
      const parts = await partsSince(since);
      expect(parts).toHaveLength(2);
      const listings = parts.map((part) => withRoot((descriptor) => look(descriptor, [part])));
      expect(Buffer.concat(await Promise.all(listings)).equals(listing)).toBe(true);
    }
  });

  it('and nothing is missing, doubled or left in', async () => {
    plant();
    const exclude = ['src/deep/left', 'src/deep/*1'];
    const before = await takeSnapshot(scene.workspace, { exclude });
    writeFileSync(ws('new'), '');
    writeFileSync(ws('src/deep/-n0/file3'), 'changed');
    writeFileSync(ws('src/deep/new'), '');
    mkdirSync(ws('src/other/place'), { recursive: true });
    rmSync(ws('src/deep/a b2'), { recursive: true });
    symlinkSync('..', ws('src/deep/!3/up'));
    const since = await takeSnapshot(scene.workspace, { exclude, since: before });
    const plain = await takeSnapshot(scene.workspace, { exclude });
    expect(since.entries).toEqual(plain.entries);
    expect(since.listing.equals(plain.listing)).toBe(true);
    const changes = compareSnapshots(before, plain);
    expect(changes).toHaveLength(61 + 6);
    expect(compareSnapshots(before, since)).toEqual(changes);
    // What it was taken for is not the only thing it can be compared with.
    expect(compareSnapshots(plain, since)).toEqual([]);
  });

  it('though the way to the cut is gone', async () => {
    plant();
    const before = await takeSnapshot(scene.workspace);
    const way = (await partsSince(before.listing))[1]?.starts[0] ?? '';
    for (const gone of [way, way.split('/').slice(0, 4).join('/'), './src/deep', './src']) {
      rmSync(ws(gone), { recursive: true });
      const after = await takeSnapshot(scene.workspace, { since: before });
      expect(after.listing.equals(await wholeListing())).toBe(true);
    }
  });
});

describe('a tree is looked at in one', () => {
  it('when it is small, or was not looked at before', async () => {
    plant();
    const listing = await wholeListing();
    expect(await partsSince(undefined)).toBe(wholeTree);
    expect(await partsSince(listing.subarray(0, recordStart(listing, 10_000)))).toBe(wholeTree);
  });

  it('when a folder holds more than can be told one by one', async () => {
    for (let file = 0; file < 6000; file += 1)
      writeFileSync(ws(`file-with-a-name-of-some-length${file}`), '');
    expect(await partsSince(await wholeListing())).toBe(wholeTree);
  });

  it('when a name in the way is none that can be handed on', async () => {
    plant();
    writeFileSync(Buffer.concat([Buffer.from(`${scene.workspace}/`), Buffer.from([0xfe])]), '');
    expect(await partsSince(await wholeListing())).toBe(wholeTree);
  });

  it('below what has become a link: not cut there', async () => {
    plant();
    const listing = await wholeListing();
    renameSync(ws('src'), join(scene.outside, 'src'));
    symlinkSync(join(scene.outside, 'src'), ws('src'));
    const starts = (await partsSince(listing)).flatMap((part) => part.starts);
    expect(starts.filter((path) => path.startsWith('./src/'))).toEqual([]);
  });

  it('when a part fails, and not before the other has ended: its file is ours no longer then', async () => {
    plant();
    const listing = await wholeListing();
    execFileSync('mkfifo', [join(scene.outside, 'fifo')]);
    const openFifo = (): number =>
      openSync(join(scene.outside, 'fifo'), constants.O_RDWR | constants.O_NONBLOCK);
    const [reader, ...files] = [openFifo(), openNameless(), openFifo()];
    const parts = [
      { starts: ['./gone'], shallow: [] },
      { starts: ['.'], shallow: [] },
    ];
    let hasAnswered = false;
    const looking = withRoot((descriptor) =>
      findListing({ descriptor, exclude: new Set() }, undefined, { parts, open: () => files.shift() }),
    ).finally(() => (hasAnswered = true));
    await pause(300);
    expect(hasAnswered).toBe(false);
    // Nothing of the second was taken until now: it waits for that.
    while (!hasAnswered) await drain(reader);
    closeSync(reader);
    expect((await looking).equals(listing)).toBe(true);
  });

  it('when a link has taken the place of a folder meanwhile', async () => {
    mkdirSync(join(scene.outside, 'deep/secret'), { recursive: true });
    symlinkSync(scene.outside, ws('link'));
    const parts = [
      { starts: ['./link'], shallow: ['./link'] },
      { starts: ['./link/deep'], shallow: [] },
    ];
    const listing = await withRoot((descriptor) => look(descriptor, parts));
    const { entries } = new Snapshot(scene.workspace, listing);
    expect([...entries.keys()]).toEqual(['link']);
  });
});

describe('what cannot be trusted is looked at again', () => {
  const lookWith = (ways: Parameters<typeof findListing>[2]): Promise<Buffer> =>
    withRoot((descriptor) => findListing({ descriptor, exclude: new Set() }, undefined, ways));

  it('when the disk is full', async () => {
    plantFew();
    // Writing to it fails as to a full disk, and there is nothing to read.
    const open = () => openSync('/dev/full', 'r+');
    expect((await lookWith({ open })).equals(await wholeListing())).toBe(true);
  });

  it('when there is no file without a name to be had', async () => {
    plantFew();
    expect((await lookWith({ open: () => undefined })).equals(await wholeListing())).toBe(true);
  });

  it('when a part begins with what is gone', async () => {
    plantFew();
    const parts = [
      { starts: ['./src', './gone'], shallow: [] },
      { starts: ['./README'], shallow: [] },
    ];
    expect((await lookWith({ parts })).equals(await wholeListing())).toBe(true);
  });
});
