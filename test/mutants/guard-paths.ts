import { guardChanges } from './guard-changes.ts';
import { guardFinds } from './guard-finds.ts';
import { guardNames } from './guard-names.ts';
import { guardResolver } from './guard-resolver.ts';
import type { Mutant } from './mutant.ts';

/** The defences of the path guard. */
export const guardPaths: readonly Mutant[] = [
  ...guardNames,
  ...guardResolver,
  ...guardChanges,
  ...guardFinds,
];
