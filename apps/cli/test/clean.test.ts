import { existsSync, mkdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { KeptState } from './kept-state.ts';

const dayMs = 24 * 60 * 60_000;
const [open, old, young] = ['open-aaaaaa', 'old-bbbbbb', 'young-cccccc'];
let kept: KeptState;
beforeAll(async () => {
  kept = await new KeptState().open();
  await kept.run(open, Date.now() - 90 * dayMs);
  await kept.run(old, Date.now() - 40 * dayMs, 'cancelled');
  await kept.run(young, Date.now() - 20 * dayMs, 'cancelled');
  // A run that the journal does not know: it may be the journal that is wrong.
  kept.git(
    '--git-dir',
    join(kept.state, 'repository.git'),
    'update-ref',
    'refs/switchyard/wip/lost-dddddd/x/1',
    kept.base,
  );
  for (const run of [open, old]) {
    const folder = join(kept.state, 'runs', run);
    mkdirSync(folder, { recursive: true });
    utimesSync(folder, 1, 1);
  }
});
afterAll(() => kept.close());

const runsOf = (): string[] => [
  ...new Set(
    kept.refs('refs/switchyard').flatMap((ref) => /\/(?:wip|salvage)\/([^/]+)/.exec(ref)?.[1] ?? []),
  ),
];

it('clean only says what would go, when asked to', async () => {
  const { out } = await kept.switchyard(['clean', '--dry-run']);
  expect(out).toContain(`refs/switchyard/wip/${old}/`);
  expect(out).toMatch(/would remove 1 folder and 2 refs of /);
  expect(runsOf()).toHaveLength(4);
});

it('kept work expires a while after its run has ended, never that of an unfinished or unknown run', async () => {
  expect((await kept.switchyard(['clean', '--keep-work', '50'])).out).not.toContain('refs/');
  expect(runsOf()).toHaveLength(4);
  expect(existsSync(join(kept.state, 'runs', open))).toBe(true);
  expect(existsSync(join(kept.state, 'runs', old))).toBe(false);
  await kept.switchyard(['clean']);
  expect(runsOf().toSorted()).toEqual(['lost-dddddd', open, young].toSorted());
  const { out, err } = await kept.switchyard(['salvage', 'list', old]);
  expect({ out, err }).toEqual({
    out: 'nothing is kept\n',
    err: '2 have expired\n',
  });
  await expect(kept.switchyard(['salvage', 'show', old, 'the docs'])).rejects.toMatchObject({
    code: 'E_NOT_FOUND',
    message: expect.stringContaining('has expired'),
  });
  await kept.switchyard(['clean', '--keep-work', '0']);
  expect(runsOf().toSorted()).toEqual(['lost-dddddd', open].toSorted());
});
