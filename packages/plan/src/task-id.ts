import type { PlanProblem } from '@switchyard/protocol';
import { problemAt, type Place } from './problem.ts';

/** What breaks a line, or steers a terminal: an id stands in logs, in commits and in commands to type. */
const unshown = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** The problem of an id that is not one line of text. */
export function unshownId(id: string, place: Place): PlanProblem[] {
  if (!unshown.test(id)) return [];
  return [
    problemAt(place, {
      code: 'PLAN_VALUE',
      message: `The id ${JSON.stringify(id)} has a line break or another character that cannot be shown`,
      fix: 'an id is one line of text',
    }),
  ];
}
