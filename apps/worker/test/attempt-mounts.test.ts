import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { taskAssignment } from '@switchyard/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attemptMounts } from '../src/attempt-mounts.ts';
import { outermost, scratchPlaces } from '../src/scratch-places.ts';

let root = '';
let tree = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'switchyard-mounts-'));
  tree = join(root, 'tree');
  for (const file of [
    '.git/HEAD',
    'README.md',
    'src/a.ts',
    'src/b/c.ts',
    'packages/p/package.json',
    'node_modules/x/dist/i.js',
  ]) {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    writeFileSync(join(tree, file), '');
  }
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** The mounts inside the tree as `kind path`. */
function mounted(workspace: string[], reads: 'all' | 'workspace' | string[] = 'all'): string[] {
  const folders = {
    tree,
    input: join(root, 'in'),
    output: join(root, 'out'),
    skeleton: join(root, 'skeleton'),
    scratch: join(root, 'scratch'),
  };
  const assignment = taskAssignment.parse({
    run: 'r',
    taskId: 't',
    attempt: 1,
    fence: 1,
    instructions: '',
    workspacePath: '',
    acceptanceCriteria: [],
    kind: 'implement',
    workspace,
    reads,
    executor: { kind: 'command', run: [] },
    acceptance: [],
    timeoutMs: 1,
    base: 'a'.repeat(40),
    scratch: [],
    round: 1,
    feedback: [],
  });
  return attemptMounts({ assignment, folders, layer: undefined, scratch: [] })
    .map((mount) => ({
      kind: mount.kind,
      at:
        ('source' in mount && mount.kind !== 'scratch' ? (mount.target ?? mount.source) : mount.target) ?? '',
    }))
    .filter(({ at }) => at.startsWith(tree))
    .map(({ kind, at }) => `${kind} ${relative(tree, at) || '.'}`);
}

describe('what an attempt sees', () => {
  it('is the checkout read-only with its workspace and its git writable', () => {
    expect(mounted(['src/b'])).toEqual(['read .', 'write src/b', 'write .git']);
    expect(mounted(['.'])).toEqual(['read .', 'write .', 'write .git']);
  });

  it('makes a file writable through its folder, whose other files stay read-only, before deeper folders', () => {
    expect(mounted(['src/b', 'src/a.ts', 'README.md'])).toEqual([
      'read .',
      'write .',
      'read node_modules',
      'read packages',
      'read src',
      'write src',
      'read src/b',
      'write src/b',
      'write .git',
    ]);
  });

  it('makes a missing workspace: a file by its extension, else a folder', () => {
    expect(mounted(['docs/guide'])).toContain('write docs/guide');
    expect(mounted(['gen/out.json'])).toContain('write gen');
    expect(existsSync(join(tree, 'docs/guide'))).toBe(true);
    expect(existsSync(join(tree, 'gen/out.json'))).toBe(false);
  });

  it('hides what it may not read', () => {
    expect(mounted(['src/b'], 'workspace')).toEqual(['read .', 'write src/b', 'write .git']);
    mkdirSync(join(root, 'x'));
    expect(mounted(['src/a.ts'], ['packages', '../x'])).toEqual([
      'read .',
      'read packages',
      'write src/a.ts',
      'write .git',
    ]);
  });

  it('refuses a workspace behind a link', () => {
    symlinkSync('/etc', join(tree, 'link'));
    expect(() => mounted(['link/x'])).toThrow(expect.objectContaining({ code: 'E_OUTSIDE_WORKSPACE' }));
    expect(mounted(['link'])).not.toContain('write link');
    expect(() => mounted(['../outside'])).toThrow(expect.objectContaining({ code: 'E_OUTSIDE_WORKSPACE' }));
  });
});

describe('scratch places', () => {
  it('are those that exist and those that a package may make', () => {
    mkdirSync(join(tree, 'src/b/.cache'));
    expect(scratchPlaces(tree, ['**/.cache', '**/dist', 'build', 'packages/*/out', 'src/?'])).toEqual([
      '.cache',
      'build',
      'dist',
      'packages/p/.cache',
      'packages/p/dist',
      'src/b',
    ]);
  });

  it('are never behind a link, never the root, never nested', () => {
    symlinkSync('/etc', join(tree, 'dist'));
    expect(scratchPlaces(tree, ['dist', '.', 'src/**', '../x', '/etc'])).toEqual(['src']);
    expect(outermost(['a/b', 'a', 'ab', 'a/c'])).toEqual(['a', 'ab']);
  });
});
