import { userGit } from './apply-checkout.ts';
import { splitNul } from './raw-path.ts';
import type { UserRepository } from './user-repository.ts';

/** Attributes for a comparison with a checkout: what git itself converts counts, no program and no driver does. */
export const comparingAttributes = '* !filter !diff !merge\n';

/** What of a configuration says how a file of the checkout differs from what is committed, with the values it may have. */
const habits: Readonly<Record<string, RegExp>> = {
  'core.filemode': /^(true|false|yes|no|on|off|0|1)$/i,
  'core.autocrlf': /^(true|false|input|yes|no|on|off|0|1)$/i,
  'core.eol': /^(lf|crlf|native)$/i,
};

/** The user's habits, as lines of a configuration of ours. */
export async function checkoutHabits(user: UserRepository): Promise<string> {
  const wanted = `^(${Object.keys(habits).join('|').replaceAll('.', '\\.')})$`;
  // In a checkout of another user, their git says nothing.
  const told = await userGit(user).run(['config', '--null', '--get-regexp', wanted], { accept: [1, 128] });
  return splitNul(told.stdout)
    .map((entry) => entry.split('\n'))
    .filter(([key = '', value = '']) => habits[key]?.test(value) === true)
    .map(([key = '', value = '']) => `[core]\n\t${key.slice('core.'.length)} = ${value}`)
    .join('\n');
}
