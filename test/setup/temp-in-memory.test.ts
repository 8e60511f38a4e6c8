import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { withTempInMemory, type Machine } from '../../tools/setup/temp-in-memory.mjs';

const gigabytes = (count: number) => () => count * 1024 ** 3;
const able: Machine = { tmp: () => '/tmp', availableBytes: gigabytes(9), canMount: () => true };
const here = '/a/checkout';
const command = ['sh', '-c', 'stat -f -c %T /tmp; ls -A /tmp | wc -l; exit 7'];

describe('temporary files of the tests', () => {
  it.each<[string, string, Partial<Machine>]>([
    ['TMPDIR names another place', here, { tmp: () => '/var/tmp' }],
    ['there is little memory', here, { availableBytes: gigabytes(7) }],
    ['nothing can be mounted', here, { canMount: () => false }],
    ['the checkout would be hidden', '/tmp/checkout', {}],
    ['the checkout is that place', '/tmp', {}],
  ])('are on the disk where %s', (_why, root, machine) => {
    expect(withTempInMemory(command, root, { ...able, ...machine })).toEqual(command);
  });

  it.runIf(process.platform === 'linux' && process.getuid?.() === 0)(
    'are else in memory, as nobody else sees it; the command ends as it ends',
    () => {
      const [program = '', ...words] = withTempInMemory(command, here, able);
      const { status, stdout } = spawnSync(program, words, { encoding: 'utf8' });
      expect({ status, stdout }).toEqual({ status: 7, stdout: 'tmpfs\n0\n' });
    },
  );
});
