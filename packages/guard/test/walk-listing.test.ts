import { execFileSync } from 'node:child_process';
import { closeSync, linkSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Snapshot, takeSnapshot } from '@switchyard/guard';
import { walkListing } from '../src/walk-listing.ts';
import { useScene } from './scene.ts';

const scene = useScene();
const ws = (name: string): string => join(scene.workspace, name);

it('a tree that is walked has the entries that find tells of it', async () => {
  mkdirSync(ws('a/b'), { recursive: true });
  for (const name of ['a/f', 'a/b/new\nline', 'ü', 'left-out']) writeFileSync(ws(name), 'text');
  linkSync(ws('a/f'), ws('second'));
  symlinkSync('./a', ws('link'));
  execFileSync('mkfifo', [ws('pipe')]);
  const exclude = ['left-out'];
  const descriptor = openSync(scene.workspace, 'r');
  const walked = new Snapshot(scene.workspace, walkListing({ descriptor, exclude: new Set(exclude) }));
  closeSync(descriptor);
  const found = await takeSnapshot(scene.workspace, { exclude });
  const told = ({ entries }: Snapshot): unknown[] =>
    [...entries]
      .toSorted()
      .map(([path, { kind, mode, links, inode, target, isPlain }]) => [
        path,
        { kind, mode, links, inode, target, isPlain },
      ]);
  expect(told(walked)).toEqual(told(found));
  expect(walked.entries.size).toBe(8);
});
