import type { Specialization } from '@switchyard/protocol';
import type { PlacedFinding } from '../engine.ts';
import type { ChangeView } from './change-view.ts';

/** One thing that a change may have broken, seen by comparing the trees. */
export interface ChangeCheck {
  readonly specializations: readonly Specialization[];
  find(view: ChangeView): Promise<PlacedFinding[]>;
}

/** A list that names a few and counts the rest. */
export function someOf(names: readonly string[], shown = 5): string {
  const more = names.length > shown ? ` and ${names.length - shown} more` : '';
  return `${names.slice(0, shown).join(', ')}${more}`;
}
