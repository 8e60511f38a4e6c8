import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeWorkCopy } from '../../tools/setup/work-copy.mjs';

let folder: string;
let root: string;
let copy: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sy-copy-'));
  root = join(folder, 'root');
  copy = join(folder, 'copy');
  mkdirSync(root);
  writeFileSync(join(root, 'kept.txt'), 'first\n');
  writeFileSync(join(root, 'gone.txt'), 'first\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const git = (cwd: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.org', ...args], {
    cwd,
    encoding: 'utf8',
  }).trim();

function commit(subject: string): void {
  git(root, 'add', '-A');
  git(root, 'commit', '-q', '-m', subject);
}

describe('the copy for the main job', () => {
  it('has the history, and the tracked files as they stand', () => {
    git(root, 'init', '-q', '-b', 'trunk');
    commit('One');
    writeFileSync(join(root, 'second.txt'), '');
    commit('Two');
    writeFileSync(join(root, 'kept.txt'), 'changed\n');
    writeFileSync(join(root, 'untracked.txt'), '');
    rmSync(join(root, 'gone.txt'));

    makeWorkCopy(root, copy);

    const subjects = git(copy, 'log', '--format=%s').split('\n');
    expect(subjects).toEqual(['The work tree as it stands', 'Two', 'One']);
    expect(readFileSync(join(copy, 'kept.txt'), 'utf8')).toBe('changed\n');
    expect(existsSync(join(copy, 'untracked.txt'))).toBe(false);
    expect(existsSync(join(copy, 'gone.txt'))).toBe(false);
    expect(git(copy, 'status', '--porcelain')).toBe('');
    expect(git(copy, 'branch', '--show-current')).toBe('main');
    expect(git(copy, 'remote')).toBe('');
    expect(git(root, 'log', '-1', '--format=%s')).toBe('Two');
  });

  it('adds no commit to a clean checkout', () => {
    git(root, 'init', '-q');
    commit('One');
    makeWorkCopy(root, copy);
    expect(git(copy, 'rev-parse', 'HEAD')).toBe(git(root, 'rev-parse', 'HEAD'));
  });

  it('is one commit where there is no git metadata', () => {
    mkdirSync(join(root, 'node_modules'));
    writeFileSync(join(root, 'node_modules', 'x.js'), '');
    makeWorkCopy(root, copy);
    expect(git(copy, 'log', '--format=%s')).toBe('The work tree as it stands');
    expect(git(copy, 'ls-files').split('\n')).toEqual(['gone.txt', 'kept.txt']);
  });

  it('is one commit of a checkout that has none yet', () => {
    git(root, 'init', '-q');
    git(root, 'add', '-A');
    makeWorkCopy(root, copy);
    expect(git(copy, 'rev-list', '--count', 'HEAD')).toBe('1');
  });
});
