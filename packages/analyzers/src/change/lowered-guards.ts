import { posix } from 'node:path';
import type { Specialization } from '@switchyard/protocol';
import type { AnalysisFile, PlacedFinding } from '../engine.ts';
import type { ChangeCheck } from './change-check.ts';

const configuration =
  /(^|\/)((vitest|jest|karma|vite|nyc|c8|codecov|\.nycrc|\.c8rc|\.codecov)[\w.-]*|package\.json|sonar-project\.properties)$/;
const threshold =
  /["']?\b(lines|branches|functions|statements|target|threshold|minimumCoverage)\b["']?\s*[:=]\s*["']?(\d+(?:\.\d+)?)/g;

/** A change does not lower the bar that it has to clear. */
export const loweredThresholds: ChangeCheck = {
  specializations: ['testing'],
  async find(view) {
    const found: PlacedFinding[] = [];
    for (const { path } of view.present) {
      if (!configuration.test(path)) continue;
      const before = valuesOf((await view.before(path)) ?? '');
      for (const [name, { value, line }] of valuesOf((await view.after(path)) ?? '')) {
        const old = before.get(name)?.value;
        if (old === undefined || value >= old) continue;
        found.push({
          severity: 'major',
          category: 'testing',
          file: path,
          line,
          description: `The change lowers the coverage that is asked for (${name}) from ${old} to ${value}.`,
          suggestion: 'Leave it, and add the tests that are missing.',
          references: [],
          rule: 'change/threshold-lowered',
        });
      }
    }
    return found;
  },
};

function valuesOf(text: string): Map<string, { value: number; line: number }> {
  const found = new Map<string, { value: number; line: number }>();
  for (const [index, row] of text.split('\n').entries())
    for (const [, name = '', value = ''] of row.matchAll(threshold)) {
      const old = found.get(name);
      if (old === undefined || Number(value) < old.value)
        found.set(name, { value: Number(value), line: index + 1 });
    }
  return found;
}

const switches: readonly { readonly pattern: RegExp; readonly category: Specialization }[] = [
  { pattern: /\b(?:secretlint-disable|nosemgrep|codeql\[|nosec\b)/, category: 'security' },
  { pattern: /\b(?:istanbul|c8|v8)\s+ignore\b/, category: 'testing' },
  {
    pattern: /\b(?:oxlint|eslint|biome)-(?:disable|ignore)\b|@ts-(?:ignore|nocheck|expect-error)\b/,
    category: 'code-quality',
  },
];
const inComment = /(?:\/\/|\/\*|#|<!--|--).*$/;

/** Comments that switch a check off, brought by the change that the check would judge. */
export const addedSuppressions: ChangeCheck = {
  specializations: ['security', 'testing', 'code-quality'],
  async find(view) {
    if (!view.hasBase) return [];
    const found: PlacedFinding[] = [];
    for (const file of view.present) {
      if (posix.extname(file.path) === '.md') continue;
      const rows = ((await view.after(file.path)) ?? '').split('\n');
      for (const line of changedLines(file, rows.length)) {
        const comment = inComment.exec(rows[line - 1] ?? '')?.[0] ?? '';
        const one = switches.find(({ pattern }) => pattern.test(comment));
        if (one === undefined || !view.request.specializations.includes(one.category)) continue;
        found.push({
          severity: 'minor',
          category: one.category,
          file: file.path,
          line,
          description: 'The change switches a check off for its own code.',
          suggestion:
            'Mend what the check finds; or have a person put it into the review policy, with a reason and an end.',
          references: [],
          rule: 'change/suppression-added',
        });
      }
    }
    return found;
  },
};

function changedLines({ lines }: AnalysisFile, count: number): number[] {
  return lines.flatMap(([from, to]) =>
    Array.from({ length: Math.max(0, Math.min(to, count) - from + 1) }, (_, index) => from + index),
  );
}

const migration = /(^|\/)(migrations?|migrate)\/(.*\/)?[^/]+\.(sql|[cm]?[jt]s)$/;

/** A migration that has been there may have run somewhere; editing it makes that place differ for ever. */
export const editedMigrations: ChangeCheck = {
  specializations: ['integration'],
  find(view) {
    const edited = [...view.present, ...view.deleted].filter(
      ({ path, change }) =>
        change !== 'added' && migration.test(path) && !/(index|env|mod)\.[cm]?[jt]s$/.test(path),
    );
    return Promise.resolve(
      view.hasBase
        ? edited.map(({ path, change }) => ({
            severity: 'major',
            category: 'integration',
            file: path,
            description: `The change ${change === 'deleted' ? 'deletes' : 'edits'} a migration that was there before; where it ran already, it will not run again.`,
            suggestion: 'Leave it as it was, and add a new migration.',
            references: [],
            rule: 'change/migration-edited',
          }))
        : [],
    );
  },
};
