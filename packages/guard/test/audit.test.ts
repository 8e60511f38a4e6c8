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
  findAttemptViolations,
  findSuspicious,
  findViolations,
  takeSnapshot,
  watchTree,
  type TreeEvent,
} from '@switchyard/guard';
import { removeTree } from '@switchyard/runtime';
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

  it('has every entry of a tree whose list comes in many pieces', async () => {
    const names = Array.from({ length: 3000 }, (_, index) => `${'ü€'.repeat(index % 40)}${index}`);
    for (const name of names) writeFileSync(ws(name), '');
    symlinkSync(names[0] ?? '', ws('link'));
    const { entries } = await takeSnapshot(scene.workspace);
    expect(names.filter((name) => !entries.has(name)).slice(0, 3)).toEqual([]);
    expect(entries.size).toBe(names.length + 1);
    expect(entries.get('link')?.target).toBe(names[0]);
    expect(new Set([...entries.values()].map(({ inode }) => inode)).size).toBe(names.length + 1);
  });

  it('leaves out what it is told to', async () => {
    mkdirSync(ws('node_modules/x'), { recursive: true });
    mkdirSync(ws('a[b]'));
    const { entries } = await takeSnapshot(scene.workspace, { exclude: ['node_modules', 'a[b]'] });
    expect([...entries.keys()]).toEqual([]);
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

describe('the audit of an attempt', () => {
  it('fails it for what is not its to change, and for nothing else', async () => {
    for (const folder of ['docs', 'src', 'node_modules']) mkdirSync(ws(folder));
    for (const name of ['docs/a', 'src/a', 'src/gone', 'src/mode']) writeFileSync(ws(name), 'old');
    const before = await takeSnapshot(scene.workspace);
    writeFileSync(ws('docs/a'), 'new');
    writeFileSync(ws('docs/made'), 'x');
    chmodSync(ws('docs/made'), 0o755);
    linkSync(ws('docs/made'), ws('docs/second'));
    symlinkSync('/usr/bin/env', ws('docs/env'));
    symlinkSync('made', ws('docs/inside'));
    mkdirSync(ws('new/deep'), { recursive: true });
    writeFileSync(ws('new/deep/file'), 'x');
    writeFileSync(ws('node_modules/cache'), 'x');
    writeFileSync(ws('src/a'), 'new');
    rmSync(ws('src/gone'));
    chmodSync(ws('src/mode'), 0o600);
    linkSync(join(scene.outside, 'secret.txt'), ws('docs/stolen'));
    symlinkSync(scene.outside, ws('docs/out'));
    mkdirSync(ws('docs/.claude'));
    mkdirSync(ws('docs/sub/.git'), { recursive: true });
    writeFileSync(ws('other'), 'x');
    const events = findAttemptViolations(before, await takeSnapshot(scene.workspace), {
      workspace: ['docs/', 'new/deep/file'],
      isDiscarded: (path) => path.startsWith('node_modules'),
      readable: ['/usr'],
    });
    expect(events.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'protected-changed docs/.claude',
      'symlink-escape docs/out',
      'hard-link docs/stolen',
      'git-dir docs/sub/.git',
      'protected-changed docs/sub/.git',
      'outside-workspace other',
      'outside-workspace src/a',
      'outside-workspace src/gone',
      'outside-workspace src/mode',
    ]);
  });

  it('lets a plan give a protected file away in words', async () => {
    mkdirSync(ws('docs'));
    const before = await takeSnapshot(scene.workspace);
    mkdirSync(ws('.vscode'));
    for (const name of ['.vscode/tasks.json', 'docs/.envrc']) writeFileSync(ws(name), 'x');
    const after = await takeSnapshot(scene.workspace);
    const found = (workspace: string[]): string[] =>
      findAttemptViolations(before, after, { workspace }).map(({ path }) => path);
    expect(found(['.vscode', 'docs'])).toEqual(['docs/.envrc']);
    expect(found(['.'])).toEqual(['.vscode', '.vscode/tasks.json', 'docs/.envrc']);
  });

  it('keeps names apart that are not UTF-8', async () => {
    const named = (byte: number): Buffer =>
      Buffer.concat([Buffer.from(`${scene.workspace}/`), Buffer.from([byte])]);
    writeFileSync(named(0xfe), 'x');
    writeFileSync(named(0xff), 'x');
    const { entries } = await takeSnapshot(scene.workspace);
    expect([...entries.keys()].sort()).toEqual(['\\xfe', '\\xff']);
  });
});

describe('the watcher', () => {
  it('tells what happens, and nothing through a link', async () => {
    symlinkSync(scene.outside, ws('out'));
    const events: TreeEvent[] = [];
    const watcher = watchTree(scene.workspace, {
      exclude: ['layer'],
      onChange: (event) => events.push(event),
    });
    await watcher.ready;
    const paths = (): string[] => events.map(({ path }) => path);
    mkdirSync(ws('layer'));
    writeFileSync(ws('layer/x'), '');
    writeFileSync(join(scene.outside, 'x'), '');
    writeFileSync(ws('f'), '');
    await expect.poll(paths).toContain('f');
    writeFileSync(ws('last'), '');
    await expect.poll(paths).toContain('last');
    await watcher.close();
    expect(paths().filter((path) => /^(?:out|layer)\//.test(path))).toEqual([]);
  });

  it('is ready, and can be closed, though folders are nested deeper than a path may be long', async () => {
    const script = `for (let i = 0; i < 60; i += 1) { fs.mkdirSync('d'.repeat(200)); process.chdir('d'.repeat(200)); }`;
    execFileSync(process.execPath, ['-e', script], { cwd: scene.workspace });
    const errors: string[] = [];
    const watcher = watchTree(scene.workspace, {
      onChange: () => undefined,
      onError: ({ cause }) => errors.push((cause as NodeJS.ErrnoException).code ?? ''),
    });
    await watcher.ready;
    await watcher.close();
    expect(errors).toEqual(['ENAMETOOLONG']);
    await removeTree(scene.workspace);
  });

  it('is ready when it is closed at once', async () => {
    const watcher = watchTree(scene.workspace, { onChange: () => undefined });
    await watcher.close();
    await watcher.ready;
  });

  it('closes when more folders are made than it may watch', async () => {
    const [events, errors]: [string[], string[]] = [[], []];
    const watcher = watchTree(scene.workspace, {
      newFoldersMax: 3,
      onChange: ({ path }) => events.push(path),
      onError: ({ message }) => errors.push(message),
    });
    await watcher.ready;
    for (const name of ['1', '2', '3', '4', '5', '6']) mkdirSync(ws(name));
    await expect.poll(() => errors).toHaveLength(1);
    expect(errors[0]).toMatch(/closes: more than 3 folders were made$/);
    expect(events).toHaveLength(4);
    await watcher.close();
  });
});
