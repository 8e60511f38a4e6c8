import type { CommitId } from '@switchyard/protocol';
import type { RunRepository } from '@switchyard/repo';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, UserCheckout } from './user-checkout.ts';

let user: UserCheckout;
let repository: RunRepository;
let base: CommitId;
beforeAll(async () => {
  user = new UserCheckout();
  user.commit({
    'a/three': '1\n2\n3',
    'a/with an end': '1\n2\n',
    'a/ü \u2028.txt': 'x\r\ny\r\nz',
    'a/separators': 'x\u2028y\fz',
    'a/empty': '',
    'a/link': { link: 'three' },
    'a/large': `${'x'.repeat(11 * 1024 * 1024)}\n`,
  });
  repository = await user.open();
  base = await repository.resolveBase();
  await repository.createRun(run, base);
});
afterAll(() => user.close());

describe('the lengths of files', () => {
  it('are of the files that the commit has', async () => {
    const paths = ['a/three', 'a/with an end', 'a/ü \u2028.txt', 'a/separators', 'a/empty', 'a/link'];
    const lengths = await repository.fileLengths(base, [...paths, 'a/three']);
    // A line after the last line break is one that tools speak of.
    expect([...lengths]).toEqual(paths.map((path, at) => [path, [3, 3, 3, 3, 1, 1][at]]));
  });

  it('say which is too large to be counted, and which is a folder', async () => {
    const lengths = await repository.fileLengths(base, ['a/large', 'a']);
    expect([...lengths]).toEqual([
      ['a/large', Infinity],
      ['a', 0],
    ]);
  });

  it.each([
    'nowhere',
    'a/nowhere',
    'a/three/x',
    './a/three',
    'a/../a/three',
    '/a/three',
    'a//three',
    '',
    '.',
    'a/three\na/three',
    'a/\0',
    ':a/three',
  ])('are none of %j', async (path) => {
    const lengths = await repository.fileLengths(base, [path, 'a/three']);
    expect([...lengths]).toEqual([['a/three', 3]]);
  });
});
