import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeptState } from './kept-state.ts';

interface Check {
  readonly name: string;
  readonly state: string;
  readonly text: string;
}

let kept: KeptState;
let gitDir = '';
beforeEach(async () => {
  kept = await new KeptState().open();
  gitDir = join(kept.state, 'repository.git');
  await kept.run('demo-abcdef', 1_000);
});
afterEach(() => kept.close());

async function commitChecks(): Promise<Check[]> {
  const { out } = await kept.switchyard(['doctor', '--json']);
  return (JSON.parse(out) as Check[]).filter(({ name }) => name === 'commits');
}

const wrong = { state: 'wrong', code: 'E_STATE_DAMAGED', mend: expect.stringContaining('copy') };

describe('the commits that a state folder rests on', () => {
  it('are counted by doctor where they are there, and named where they have gone', async () => {
    const refs = kept.refs('refs/');
    expect(await commitChecks()).toMatchObject([{ state: 'ok', text: `${gitDir}, ${refs.length} refs` }]);
    for (const part of ['pack', kept.base.slice(0, 2)])
      rmSync(join(gitDir, 'objects', part), { recursive: true, force: true });
    const [found] = await commitChecks();
    expect(found).toMatchObject(wrong);
    expect(found?.text).toContain(`refs/switchyard/bases/${kept.base}: ${kept.base} cannot be read`);
    expect(found?.text).toContain(`the base of demo-abcdef: ${kept.base} cannot be read`);
  });

  it('are missed by doctor where their refs have gone', async () => {
    rmSync(join(gitDir, 'refs'), { recursive: true });
    expect(await commitChecks()).toMatchObject([{ ...wrong, text: `${gitDir}\n${gitDir}/refs is gone` }]);
    rmSync(gitDir, { recursive: true });
    expect(await commitChecks()).toMatchObject([
      { ...wrong, text: `${gitDir} is gone, and the journal has runs` },
    ]);
  });
});
