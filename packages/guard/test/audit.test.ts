import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  compareSnapshots,
  findSuspicious,
  findViolations,
  takeSnapshot,
  watchTree,
  type TreeEvent,
} from '@switchyard/guard';
import { useScene } from './scene.ts';

const scene = useScene();
const ws = (name: string): string => join(scene.workspace, name);

describe('a snapshot before and after proves what changed', () => {
  it('names what was made, changed, removed and given another mode, and nothing else', async () => {
    for (const name of ['same', 'text', 'gone', 'mode', 'quiet', 'new\nline']) writeFileSync(ws(name), 'old');
    mkdirSync(ws('folder'));
    const before = await takeSnapshot(scene.workspace);
    writeFileSync(ws('text'), 'new!');
    const { atime, mtime } = statSync(ws('quiet'));
    writeFileSync(ws('quiet'), 'NEW');
    utimesSync(ws('quiet'), atime, mtime);
    rmSync(ws('gone'));
    chmodSync(ws('mode'), 0o755);
    writeFileSync(ws('folder/made'), 'x');
    const changes = compareSnapshots(before, await takeSnapshot(scene.workspace));
    expect(changes.map(({ change, path }) => `${change} ${path}`)).toEqual([
      'created folder/made',
      'removed gone',
      'mode-changed mode',
      'changed quiet',
      'changed text',
    ]);
  });

  it('leaves out what it is told to', async () => {
    mkdirSync(ws('node_modules/x'), { recursive: true });
    mkdirSync(ws('a[b]'));
    const { entries } = await takeSnapshot(scene.workspace, { exclude: ['node_modules', 'a[b]'] });
    expect([...entries.keys()]).toEqual([]);
  });

  it('takes at most a few milliseconds for a thousand files', async () => {
    for (let index = 0; index < 1000; index += 1) writeFileSync(ws(`f${index}`), '');
    const startedAt = performance.now();
    expect((await takeSnapshot(scene.workspace)).entries.size).toBe(1000);
    expect(performance.now() - startedAt).toBeLessThan(250);
  });

  it('says when the root is not there', async () => {
    await expect(takeSnapshot(ws('nowhere'))).rejects.toMatchObject({ code: 'E_IO' });
  });
});

describe('violations', () => {
  it('are links that lead out, second names, special files, set-uid, repositories and protected names', async () => {
    writeFileSync(ws('f'), 'x');
    writeFileSync(ws('.env'), 'x');
    symlinkSync('f', ws('fine'));
    symlinkSync(join(scene.readable, 'r.txt'), ws('fine-too'));
    symlinkSync(scene.outside, ws('old-link'));
    const before = await takeSnapshot(scene.workspace);
    symlinkSync(scene.outside, ws('out'));
    symlinkSync('out/../secret', ws('through'));
    symlinkSync('/proc/self/fd/0', ws('proc'));
    linkSync(ws('f'), ws('second'));
    execFileSync('mkfifo', [ws('pipe')]);
    writeFileSync(ws('set'), 'x');
    chmodSync(ws('set'), 0o4755);
    mkdirSync(ws('.claude'));
    writeFileSync(ws('.claude/settings.json'), '{}');
    writeFileSync(ws('.env'), 'changed');
    for (const name of ['bare/objects', 'bare/refs']) mkdirSync(ws(name), { recursive: true });
    writeFileSync(ws('bare/HEAD'), 'ref: x');
    const after = await takeSnapshot(scene.workspace);
    const events = findViolations(before, after, { readable: [scene.readable], denyRead: ['.env'] });
    expect(events.map(({ kind, path }) => `${kind} ${path}`).sort()).toEqual([
      'denied-changed .env',
      'git-dir bare',
      'hard-link f',
      'hard-link second',
      'protected-changed .claude',
      'protected-changed .claude/settings.json',
      'set-id set',
      'special-file pipe',
      'symlink-escape out',
      'symlink-escape proc',
      'symlink-escape through',
    ]);
    expect(findSuspicious(before).map(({ path }) => path)).toEqual(expect.arrayContaining(['old-link']));
  });
});

describe('the watcher', () => {
  it('tells what happens, and nothing through a link', async () => {
    symlinkSync(scene.outside, ws('out'));
    const events: TreeEvent[] = [];
    let seen = (): void => undefined;
    const done = new Promise<void>((resolve) => (seen = resolve));
    const watcher = await watchTree(scene.workspace, {
      exclude: ['layer'],
      onChange: (event) => {
        events.push(event);
        if (event.path === 'last') seen();
      },
    });
    mkdirSync(ws('layer'));
    writeFileSync(ws('layer/x'), '');
    writeFileSync(join(scene.outside, 'x'), '');
    writeFileSync(ws('f'), '');
    writeFileSync(ws('last'), '');
    await done;
    await watcher.close();
    const paths = events.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['f', 'last']));
    expect(paths.filter((path) => /^(?:out|layer)\//.test(path))).toEqual([]);
  });
});
