import { taskId } from '@switchyard/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run, UserCheckout } from './user-checkout.ts';

let user: UserCheckout;
beforeEach(() => {
  user = new UserCheckout();
});
afterEach(() => user.close());

async function prepared() {
  user.commit({ a: 'one' });
  const repository = await user.open();
  const base = await repository.resolveBase();
  const git = (...args: string[]): string => user.gitWith({ GIT_DIR: repository.gitDir }, ...args).trim();
  const attempt = (text: string) => user.attempt(repository, base, { a: text });
  const refs = (kind: string): string[] =>
    git('for-each-ref', '--format=%(refname) %(objectname)', `refs/switchyard/${kind}`)
      .split('\n')
      .filter(Boolean);
  return { repository, git, attempt, refs };
}

const task = taskId.parse('write the docs');

describe('commits beside the results of attempts', () => {
  it('late ones are kept on refs of their own, until the run is forgotten', async () => {
    const { repository, attempt, refs } = await prepared();
    const late = { run, taskId: task, fence: 2, commit: attempt('late') };
    const ref = await repository.pinSalvage(late);
    expect(ref).toMatch(new RegExp(`^refs/switchyard/salvage/${run}/write-the-docs-[0-9a-f]{8}/2$`));
    expect(await repository.pinSalvage(late)).toBe(ref);
    expect(refs('salvage')).toEqual([`${ref} ${late.commit}`]);
    await repository.dropRun(run);
    expect(refs('salvage')).toEqual([]);
  });

  it('work in progress is kept as it last was, its uploads are not, and other attempts are left alone', async () => {
    const { repository, git, attempt, refs } = await prepared();
    const work = { run, taskId: task, fence: 1, commit: attempt('first') };
    const ref = await repository.pinWip(work);
    expect(ref).toMatch(new RegExp(`^refs/switchyard/wip/${run}/write-the-docs-[0-9a-f]{8}/1$`));
    const uploads = ref.replace('/wip/', '/uploads/');
    const later = attempt('second');
    const others = `${uploads}0/${later}`;
    for (const upload of [`${uploads}/${work.commit}`, `${uploads}/${later}`, others])
      git('update-ref', upload, later);
    expect(await repository.pinWip({ ...work, commit: later })).toBe(ref);
    expect(refs('wip')).toEqual([`${ref} ${later}`]);
    expect(refs('uploads')).toEqual([`${others} ${later}`]);
    await repository.dropRun(run);
    expect([...refs('wip'), ...refs('uploads')]).toEqual([]);
  });
});
