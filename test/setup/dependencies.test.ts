import { describe, expect, it } from 'vitest';
import { isInstalled, missingOptionals, type Lock } from '../../tools/setup/lock-entries.mjs';

const lock: Lock = {
  packages: {
    '': { name: 'root' },
    'packages/plan': { name: '@switchyard/plan' },
    'node_modules/@switchyard/plan': { link: true },
    'node_modules/zod': { version: '4.0.0', integrity: 'sha512-a' },
    'node_modules/fast': { version: '1.0.0', optionalDependencies: { 'fast-linux-x64-musl': '1.0.0' } },
    'node_modules/fast-linux-x64-musl': { version: '1.0.0', optional: true },
  },
};
const installed: Lock = {
  packages: {
    'node_modules/zod': { version: '4.0.0', integrity: 'sha512-a' },
    'node_modules/fast': { version: '1.0.0' },
  },
};
const without = (path: string): Lock => ({
  packages: Object.fromEntries(Object.entries(lock.packages).filter(([each]) => each !== path)),
});

describe('what is installed', () => {
  it('is enough without optional packages of other platforms', () => {
    expect(isInstalled(lock, installed, () => true)).toBe(true);
  });
  it('is not enough without a link, a package, or at another version', () => {
    const other = (version: string): Lock => ({
      packages: { ...installed.packages, 'node_modules/zod': { version, integrity: 'sha512-a' } },
    });
    expect(isInstalled(lock, installed, () => false)).toBe(false);
    expect(isInstalled(lock, {}, () => true)).toBe(false);
    expect(isInstalled(lock, other('4.0.1'), () => true)).toBe(false);
  });
});

describe('a lock without the packages of a platform', () => {
  it('gets them back with what their names say', () => {
    expect(missingOptionals(lock)).toEqual([]);
    expect(missingOptionals(without('node_modules/fast-linux-x64-musl'))).toEqual([
      {
        path: 'node_modules/fast-linux-x64-musl',
        entry: { version: '1.0.0', cpu: ['x64'], libc: ['musl'], optional: true, os: ['linux'] },
      },
    ]);
  });
});
