import type { RunReport } from '@switchyard/protocol';
import type { RunAccount } from './account.ts';

/** A command with what it does. */
export interface Advice {
  readonly command: string;
  readonly text: string;
}

/** Shows what a run has changed; its branch needs no quoting. */
export function diffCommand({ base, branch }: RunReport['view']): string {
  return `git diff ${base.slice(0, 12)}...${branch}`;
}

/** What a person can do with the result now. Run ids and branch names need no quoting. */
export function applyAdvice({ view }: RunReport, account: RunAccount): readonly Advice[] {
  if (!account.hasResult)
    return [
      {
        command: `switchyard run show ${view.run}`,
        text: 'Nothing is on the run branch; your checkout is as it was.',
      },
    ];
  return [
    { command: diffCommand(view), text: 'Look at what the run changed.' },
    {
      command: `switchyard apply ${view.run}`,
      text:
        view.phase === 'completed'
          ? 'Bring it into your checkout. If your branch has moved, the merge is verified again first.'
          : 'Bring what passed into your checkout; what failed or was skipped is not on the branch.',
    },
  ];
}
