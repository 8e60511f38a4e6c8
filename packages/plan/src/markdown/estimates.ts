import { hoursIn, hoursText, type Hours, type Remark } from './draft.ts';
import { singular, wordsOf } from './names.ts';
import { under, type Section } from './sections.ts';
import { itemsOf, plainText, startOf, type Table } from './syntax.ts';

/** Hours for each task of a kind: `Core (Parser, Planner) | 8-12`. */
export interface HoursRow {
  /** `Core`. */
  readonly category: string;
  /** `Parser`, `Planner`; empty: the category names a group. */
  readonly names: readonly string[];
  readonly hours: Hours;
  readonly offset: number;
}

/** Rows of tables whose last column is hours and whose first is a category. */
export function hoursRows(sections: readonly Section[]): HoursRow[] {
  const tables = sections.flatMap(({ blocks }) => blocks.filter((block) => block.type === 'table'));
  return tables.flatMap(rowsOf);
}

function rowsOf(table: Table): HoursRow[] {
  const [head, ...rows] = table.children;
  const titles = head?.children.map(plainText) ?? [];
  const at = titles.findIndex((title) => /\bhours\b/i.test(title));
  const isHours = at > 0 && /\b(category|kind|group|area|type)\b/i.test(titles[0] ?? '');
  if (!isHours) return [];
  return rows.flatMap((row) => {
    const [first] = row.children;
    const cell = row.children[at];
    const hours = cell && hoursIn(plainText(cell), 'hours');
    if (first === undefined || hours === undefined) return [];
    const [, category = '', names = ''] = /^([^(]*)(?:\(([^)]*)\))?/.exec(plainText(first)) ?? [];
    return {
      category: category.trim(),
      names: names.split(',').flatMap((name) => (name.trim() === '' ? [] : name.trim())),
      hours,
      offset: startOf(row),
    };
  });
}

/** A total that the document states: `Core reviews: ~60-80 hours`. */
export interface StatedHours {
  readonly label: string;
  readonly isTotal: boolean;
  readonly hours: Hours;
  readonly offset: number;
}

export function statedHours(sections: readonly Section[]): StatedHours[] {
  return under(sections, /\b(effort|estimate|hours|resource allocation)\b/i).flatMap(({ blocks }) =>
    itemsOf(blocks).flatMap((item) => {
      const [, label = '', rest = ''] = /^([^:]+):\s*(.*)$/.exec(plainText(item)) ?? [];
      const hours = hoursIn(rest);
      return hours === undefined
        ? []
        : { label, isTotal: /\btotal\b/i.test(label), hours, offset: startOf(item) };
    }),
  );
}

/** A total must be the sum of the lines above it. */
export function wrongSums(stated: readonly StatedHours[]): Remark[] {
  const parts = stated.filter(({ isTotal }) => !isTotal);
  const sum = addHours(parts.map(({ hours }) => hours));
  return stated.flatMap((total) => {
    if (!total.isTotal || parts.length === 0 || sameHours(total.hours, sum)) return [];
    return hoursRemark(total, `the lines above it add up to ${hoursText(sum)}`);
  });
}

/** What the hours of the tasks come to, for each line that names a group of them, and for the total. */
export function wrongTotals(
  stated: readonly StatedHours[],
  tasks: readonly { readonly hours?: Hours; readonly groups: readonly string[] }[],
): Remark[] {
  return stated.flatMap((line) => {
    const words = wordsOf(line.label);
    const meant = line.isTotal
      ? tasks
      : tasks.filter(({ groups }) => groups.some((group) => hasWords(group, words)));
    const known = meant.flatMap(({ hours }) => hours ?? []);
    if (meant.length === 0 || known.length < meant.length) return [];
    const sum = addHours(known);
    const count = `${meant.length} ${meant.length === 1 ? 'task' : 'tasks'}`;
    return sameHours(line.hours, sum) ? [] : hoursRemark(line, `its ${count} come to ${hoursText(sum)}`);
  });
}

function hasWords(text: string, words: readonly string[]): boolean {
  const there = new Set(wordsOf(text).map(singular));
  return words.length > 0 && words.every((word) => there.has(singular(word)));
}

function hoursRemark({ label, hours, offset }: StatedHours, what: string): Remark[] {
  return [
    {
      offset,
      code: 'PLAN_HOURS',
      message: `"${label}" says ${hoursText(hours)} hours, but ${what}`,
      fix: 'mend the one that is wrong; the hours of the tasks count as estimates',
    },
  ];
}

function addHours(all: readonly Hours[]): Hours {
  return all.reduce((sum, { low, high }) => ({ low: sum.low + low, high: sum.high + high }), {
    low: 0,
    high: 0,
  });
}

function sameHours(a: Hours, b: Hours): boolean {
  return Math.abs(a.low - b.low) < 0.01 && Math.abs(a.high - b.high) < 0.01;
}
