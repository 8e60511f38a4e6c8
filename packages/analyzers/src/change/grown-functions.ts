import type { PlacedFinding } from '../engine.ts';
import { languageOf } from '../path-kind.ts';
import type { ChangeCheck } from './change-check.ts';

/** As in the configuration of oxlint, which tells new functions. */
const complexityMax = 20;

/** Functions that were there, and that the change makes harder to follow than a function may be. */
export const grownFunctions: ChangeCheck = {
  specializations: ['code-quality'],
  async find(view) {
    if (!view.hasBase) return [];
    const found: PlacedFinding[] = [];
    for (const { path } of view.present) {
      if (languageOf(path) === undefined) continue;
      const before = new Map((await view.factsBefore(path)).functions.map((one) => [keyOf(one), one]));
      for (const now of (await view.factsAfter(path)).functions) {
        const old = before.get(keyOf(now));
        if (old === undefined || now.complexity <= Math.max(complexityMax, old.complexity)) continue;
        found.push({
          severity: 'minor',
          category: 'code-quality',
          file: path,
          line: now.line,
          endLine: now.endLine,
          caused: true,
          description: `The change takes ${now.name} from a complexity of ${old.complexity} to ${now.complexity}; more than ${complexityMax} is hard to follow.`,
          suggestion: 'Put a part of it into a function of its own.',
          references: [],
          rule: 'change/complexity-grown',
        });
      }
    }
    return found;
  },
};

function keyOf({ name, nth }: { readonly name: string; readonly nth: number }): string {
  return `${nth} ${name}`;
}
