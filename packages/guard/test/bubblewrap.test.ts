import { describe, expect, it } from 'vitest';
import { openSandbox } from '@switchyard/guard';
import { otherBwrap, telling, whatWasTold, type Told } from './other-bwrap.ts';
import { openOptions, shell, useScene } from './scene.ts';

const scene = useScene();

async function toldFor(more: Parameters<typeof shell>[2] = {}): Promise<Told> {
  const sandbox = await openSandbox(openOptions({ bwrapPath: otherBwrap(scene.base, telling) }));
  try {
    await sandbox.run(shell(scene, 'true', more));
    return whatWasTold(scene.base);
  } finally {
    await sandbox.close();
  }
}

describe('bubblewrap is told', () => {
  it('every defence, also those that another one stands behind', async () => {
    const { options } = await toldFor();
    for (const option of ['user', 'all'].map((name) => `--unshare-${name}`))
      expect(options).toContain(option);
    expect(options).toEqual(
      expect.arrayContaining([
        '--disable-userns', // behind it: the filter
        '--new-session', // behind it: the filter, and a session of its own outside
        '--die-with-parent',
        '--clearenv', // behind it: bwrap itself has no environment
        '--seccomp',
      ]),
    );
    const after = (name: string): string[] =>
      options.flatMap((word, index) => (word === name ? [options[index + 1] ?? ''] : []));
    expect(after('--cap-drop')).toEqual(['ALL']);
    expect(after('--remount-ro')).toEqual(['/dev', '/proc', '/']);
    expect(options.filter((word) => ['--share-net', '--cap-add'].includes(word))).toEqual([]);
  });

  it('nothing where others can read it, and gets nothing of our environment', async () => {
    process.env['GUARD_TEST_OURS'] = 'ours';
    try {
      const told = await toldFor({ env: { GUARD_TEST_TOKEN: 'secret', LD_PRELOAD: '/nowhere.so' } });
      expect(told.options).toEqual(expect.arrayContaining(['GUARD_TEST_TOKEN', 'secret']));
      expect(told.commandLine.join(' ')).not.toMatch(/secret|GUARD_TEST/);
      const names = told.environment.map((entry) => entry.slice(0, entry.indexOf('=')));
      expect(names.filter((name) => !['PWD', 'OLDPWD', '_', 'SHLVL'].includes(name))).toEqual([]);
    } finally {
      delete process.env['GUARD_TEST_OURS'];
    }
  });
});
