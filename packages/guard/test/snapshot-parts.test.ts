import { closeSync, mkdirSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareSnapshots, takeSnapshot, type Snapshot } from '@switchyard/guard';
import { findEntries } from '../src/snapshot-find.ts';
import { treeParts, wholeTree } from '../src/snapshot-parts.ts';
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

const facts = ({ entries }: Snapshot): Map<string, string> =>
  new Map([...entries].toSorted().map(([path, entry]) => [path, `${entry.facts} ${entry.target ?? ''}`]));

describe('a large tree is looked at in two parts', () => {
  it('of about the same size, below the folders that hold nearly all', async () => {
    plant();
    const { entries } = await takeSnapshot(scene.workspace);
    const descriptor = openSync(scene.workspace, 'r');
    const parts = treeParts(descriptor, entries);
    closeSync(descriptor);
    expect(parts.map(({ shallow }) => shallow)).toEqual([['./src', './src/deep'], []]);
    const folders = parts.map(({ starts }) => starts.filter((path) => /\d$/.test(path)).length);
    expect(Math.min(...folders)).toBeGreaterThan(40);
    expect(treeParts(descriptor, new Map([...entries].slice(0, 100)))).toBe(wholeTree);
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
    expect(facts(since)).toEqual(facts(plain));
    expect(since.notable.toSorted()).toEqual(plain.notable.toSorted());
    const changes = compareSnapshots(before, plain);
    expect(changes).toHaveLength(61 + 6);
    expect(compareSnapshots(before, since)).toEqual(changes);
    // What it was taken for is not the only thing it can be compared with.
    expect(compareSnapshots(plain, since)).toEqual([]);
  });

  it('but not below a link that has taken the place of a folder meanwhile', async () => {
    mkdirSync(join(scene.outside, 'deep/secret'), { recursive: true });
    symlinkSync(scene.outside, ws('link'));
    const descriptor = openSync(scene.workspace, 'r');
    const parts = [
      { starts: ['./link'], shallow: ['./link'] },
      { starts: ['./link/deep'], shallow: [] },
    ];
    const search = { descriptor, exclude: new Set<string>(), since: new Map<string, never>() };
    const { entries } = await findEntries(search, parts);
    closeSync(descriptor);
    expect([...entries.keys()]).toEqual(['link']);
  });
});
