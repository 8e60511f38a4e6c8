import { relative, resolve } from 'node:path';
import { findRepository } from '@switchyard/access';
import type { Plan } from '@switchyard/protocol';
import type { CommandContext, CommonOptions } from './context.ts';

const namesMax = 3;

/**
 * What the person has changed and not committed: a run begins at a commit and knows nothing of it. Undefined: nothing,
 * but for the plan itself and what it includes, or the repository is on another machine.
 */
export async function leftOutText(
  { file, plan }: { readonly file: string; readonly plan: Pick<Plan, 'base' | 'include'> },
  context: CommandContext,
  options: CommonOptions,
): Promise<string | undefined> {
  if ((options.hub ?? context.environment.hub) !== undefined) return undefined;
  const { openCheckoutView } = await import('@switchyard/repo');
  const { user } = await findRepository(context, options);
  const known = [...plan.include, relative(user.workTree, resolve(context.cwd, file))];
  const isKnown = (path: string): boolean =>
    known.some((name) => path === name || path.startsWith(`${name}/`));
  const view = await openCheckoutView(user);
  try {
    const changes = await view.changesSince(user.head.commit);
    const names = changes.map(({ path }) => path).filter((path) => !isKnown(path));
    if (names.length === 0) return undefined;
    const shown = names.slice(0, namesMax).join(', ');
    const more = names.length > namesMax ? ` and ${names.length - namesMax} more` : '';
    const [are, they] = names.length === 1 ? ['is', 'it'] : ['are', 'they'];
    const start = plan.base ?? `your last commit (${user.head.commit.slice(0, 7)})`;
    return `the run begins at ${start}: ${shown}${more} ${are} not committed, so ${they} ${are} not in it`;
  } finally {
    await view.close();
  }
}
