import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { guardedMounts } from '@switchyard/guard';
import { useScene } from './scene.ts';

const scene = useScene();

function lay(folder: string, ...names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), name);
  }
}

/** `kind path` of each mount, paths below the folder of the scene. */
function mounts(denyRead: readonly string[] = ['.env', 'secrets/**'], protect = true): string[] {
  const roots = [
    { path: scene.workspace, write: true },
    { path: scene.readable, write: false },
  ];
  return guardedMounts(roots, { denyRead, protect }).map((mount) => {
    const path = mount.kind === 'hide' ? mount.target : (mount.source ?? '');
    return `${mount.kind} ${path.slice(scene.base.length + 1)}`;
  });
}

const below = (root: string, name: string): string => join(root.slice(scene.base.length + 1), name);

describe('the mounts of the roots', () => {
  it('keep what is protected from being written, and what is denied from being seen', () => {
    lay(scene.workspace, '.env', 'secrets/a', '.vscode/tasks.json', 'src/.envrc', 'src/plain');
    lay(scene.readable, '.env', '.envrc');
    const ws = (name: string): string => below(scene.workspace, name);
    const found = mounts();
    const [workspace, readable] = [scene.workspace, scene.readable].map((root) =>
      root.slice(scene.base.length + 1),
    );
    expect([...found].sort()).toEqual(
      [
        `write ${workspace}`,
        `read ${readable}`,
        `hide ${ws('.env')}`,
        `hide ${ws('secrets')}`,
        `read ${ws('.vscode')}`,
        `read ${ws('src/.envrc')}`,
        // A folder above is mounted on itself, so that nobody moves it away with what it holds.
        `write ${ws('src')}`,
        `hide ${below(scene.readable, '.env')}`,
      ].sort(),
    );
    expect(found.indexOf(`write ${ws('src')}`)).toBeLessThan(found.indexOf(`read ${ws('src/.envrc')}`));
    expect(mounts([], false)).toEqual([`read ${readable}`, `write ${workspace}`].sort(byPath));
  });

  it('leave a repository writable, but for what makes it run code, and where it is', () => {
    lay(scene.workspace, 'sub/.git/config', 'sub/.git/HEAD', 'sub/.git/hooks/x');
    const found = mounts().filter((line) => line.includes('sub'));
    const git = below(scene.workspace, 'sub/.git');
    expect(found).toEqual([
      `write ${below(scene.workspace, 'sub')}`,
      `write ${git}`,
      `write ${git}`,
      `read ${git}/config`,
      `read ${git}/hooks`,
    ]);
  });

  it('hold a file by all its names, by the strictest of them', () => {
    lay(scene.workspace, '.env', '.envrc', '.bashrc');
    linkSync(join(scene.workspace, '.bashrc'), join(scene.workspace, 'z.pem'));
    linkSync(join(scene.workspace, '.bashrc'), join(scene.workspace, 'fourth'));
    linkSync(join(scene.workspace, '.env'), join(scene.workspace, 'other'));
    linkSync(join(scene.workspace, '.envrc'), join(scene.workspace, 'second'));
    linkSync(join(scene.workspace, '.env'), join(scene.readable, 'third'));
    const found = mounts(['.env', '*.pem']);
    expect(found).toContain(`hide ${below(scene.workspace, 'fourth')}`);
    expect(found).toContain(`hide ${below(scene.workspace, 'other')}`);
    expect(found).toContain(`read ${below(scene.workspace, 'second')}`);
    expect(found).toContain(`hide ${below(scene.readable, 'third')}`);
  });

  it('are made through no link, and refused where they are too many', () => {
    symlinkSync(scene.outside, join(scene.workspace, '.vscode'));
    expect(mounts().join()).not.toContain('.vscode');
    lay(scene.workspace, ...Array.from({ length: 1501 }, (_, index) => `keys/k${index}.pem`));
    expect(() => mounts(['**/*.pem'])).toThrow(/More than 1500 files are denied or protected/);
  });
});

function byPath(a: string, b: string): number {
  return (a.split(' ')[1] ?? '') < (b.split(' ')[1] ?? '') ? -1 : 1;
}
