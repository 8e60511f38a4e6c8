import { AppError, type Specialization } from '@switchyard/protocol';
import { grantOf, type Grant } from '../tools/tool-groups.ts';
import { builtInModes, grantsOf, roleOf } from './built-in.ts';
import type { Mode, Role } from './mode.ts';

/** `reviewer` alone means this one, as where nothing else says what a change is reviewed for (DESIGN.md section 9). */
const plainReviewer: Specialization = 'style';

/** What the whole of a slug is: `reviewer` is a reviewer of the default specialization. */
export function fullSlug(slug: string): string {
  return slug === 'reviewer' ? `reviewer-${plainReviewer}` : slug;
}

export interface ModeChoice {
  /** Custom modes, of the commit that the work begins from. */
  readonly custom: readonly Mode[];
  /** What the agent works as. */
  readonly role: Role;
  /** Absent: the role's own mode. */
  readonly slug?: string;
}

/**
 * The mode of an agent that works in a role: the one of that slug, the file's before the built-in one, with no more
 * than the role ever has. Throws E_MODE for a slug that nobody knows, or that is of another role.
 */
export function modeInRole({ custom, role, slug }: ModeChoice): Mode {
  const wanted = fullSlug(slug ?? role);
  const found = findMode(wanted, custom);
  const own = roleOf(wanted);
  if (own !== undefined && own !== role)
    throw new AppError('E_MODE', `The mode "${wanted}" is for ${own}s; this agent works as ${role}.`);
  return { ...found, grants: narrowed(found.grants, grantsOf(role)) };
}

/** A mode that a person or a plan names. Throws E_MODE, also for `worker`, which is nobody's to choose. */
export function chooseByHand(slug: string, custom: readonly Mode[]): Mode {
  if (slug === 'worker')
    throw new AppError(
      'E_MODE',
      'The mode "worker" cannot be chosen by hand: the orchestrator starts a worker for each task.',
    );
  return findMode(fullSlug(slug), custom);
}

/** The file's mode of a slug, else the built-in one. Throws E_MODE. */
export function findMode(slug: string, custom: readonly Mode[]): Mode {
  const found = [...custom, ...builtInModes].find((mode) => mode.slug === slug);
  if (found !== undefined) return found;
  const known = [...new Set([...builtInModes, ...custom].map((mode) => mode.slug))];
  throw new AppError('E_MODE', `There is no mode "${slug}"; there is: ${known.join(', ')}.`);
}

/** What both grant: a mode can only narrow what its role has. */
function narrowed(wanted: readonly Grant[], allowed: readonly Grant[]): Grant[] {
  const rights = { slug: '', grants: allowed };
  return wanted.filter(({ group }) => grantOf(rights, group) !== undefined);
}
