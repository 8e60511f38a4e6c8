import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeptState } from './kept-state.ts';
import { openStandIn } from './stand-in-hub.ts';

const hourMs = 60 * 60_000;
let kept: KeptState;
beforeAll(async () => {
  kept = await new KeptState().open();
  await kept.run('open-aaaaaa', Date.now() - 2 * hourMs);
});
afterAll(() => kept.close());

const salvage = (...args: string[]) => kept.switchyard(['salvage', ...args]);

describe('salvage', () => {
  it('lists what is kept: run, task, attempt, worker, age and files, and what to type next', async () => {
    const { out } = await salvage('list');
    const [head, late, wip, ...next] = out.trim().split('\n');
    expect(head).toMatch(/^run +task +attempt +kind +worker +age +files/);
    for (const [line, kind] of [
      [late, 'late result'],
      [wip, 'work in progress'],
    ])
      expect(line).toMatch(new RegExp(`^open-aaaaaa +the docs +1 +${kind} +w1 +2h00m +the docs/index.md$`));
    expect(next[0]).toContain("switchyard salvage show open-aaaaaa 'the docs' --attempt 1 --kind salvage");
    const rows = JSON.parse((await salvage('list', 'open', '--json')).out) as {
      kind: string;
      files: object[];
    }[];
    expect(rows.map(({ kind, files }) => [kind, files.length])).toEqual([
      ['salvage', 1],
      ['wip', 1],
    ]);
  });

  it('shows one as a patch; the late result unless another is named', async () => {
    expect((await salvage('show', 'open', 'the docs')).out).toContain('+whole');
    const { out, err } = await salvage('show', 'open', 'the docs', '--kind', 'wip');
    expect(out).toContain('+half');
    expect(err).toContain('work in progress of attempt 1 by w1');
    const stat = await salvage('show', 'open', 'the docs', '--stat');
    expect(stat.out).toBe('added  the docs/index.md\n');
  });

  it('says what is not there', async () => {
    await expect(salvage('show', 'open', 'x')).rejects.toMatchObject({ code: 'E_TASK_UNKNOWN' });
    await expect(salvage('show', 'open', 'the docs', '--attempt', '2')).rejects.toMatchObject({
      code: 'E_NOT_FOUND',
      message: expect.stringContaining('nothing of attempt 2'),
    });
    await expect(salvage('show', 'nobody', 'x')).rejects.toMatchObject({ code: 'E_RUN_UNKNOWN' });
  });

  it('takes one as a branch, and leaves the checkout and the journal alone', async () => {
    const journal = readFileSync(join(kept.state, 'journal.db'));
    const { out } = await salvage('take', 'open', 'the docs');
    const branch = 'switchyard/salvage/open-aaaaaa/the-docs-1';
    expect(out).toContain(`branch ${branch}`);
    expect(kept.git('show', `${branch}:the docs/index.md`)).toBe('whole');
    await salvage('take', 'open', 'the docs', '--kind', 'wip', '--branch', 'mine');
    expect(kept.git('show', 'mine:the docs/index.md')).toBe('half');
    expect(kept.git('status', '--porcelain')).toBe('');
    expect(readFileSync(join(kept.state, 'journal.db')).equals(journal)).toBe(true);
  });

  it('lets the next attempt go on from it, by a word to the orchestrator', async () => {
    const hub = await openStandIn(() => ['done', {}]);
    const env = { SWITCHYARD_HUB: hub.url, SWITCHYARD_TOKEN: hub.token };
    const words = ['salvage', 'take', 'open', 'the docs', '--kind', 'wip', '--next'];
    const { out } = await kept.switchyard(words, env);
    expect(out).toBe('the next attempt of the docs goes on from the work in progress of attempt 1\n');
    expect(hub.asked.map(({ type, payload }) => ({ type, payload }))).toEqual([
      {
        type: 'kept-take-up',
        payload: { run: 'open-aaaaaa', taskId: 'the docs', attempt: 1, kind: 'wip' },
      },
    ]);
    await hub.close();
  });

  it('is named by run show, with the command that shows it, and in the timeline', async () => {
    const { out } = await kept.switchyard(['run', 'show', 'open']);
    expect(out).toContain('kept beside the results');
    expect(out).toContain("switchyard salvage show open-aaaaaa 'the docs' --attempt 1 --kind wip");
    const { out: timeline } = await kept.switchyard(['replay', 'open']);
    expect(timeline).toMatch(/attempt-wip +the docs .*refs\/switchyard\/wip\/open-aaaaaa/);
    expect(timeline).toMatch(/attempt-salvaged +the docs .*late result of attempt 1/);
  });
});
