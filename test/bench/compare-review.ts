import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { specializations } from '@switchyard/protocol';
import { writeSides, type Side } from './review-sides.ts';
import { deepName, eslintSecurity, ourEngines, oxlintAlone, type Spoken } from './review-tools.ts';

/** How well a tool tells flaws from their good twins. */
export interface Score {
  /** Of what it spoke on, the part that was a flaw; 1 where it spoke on nothing. */
  readonly precision: number;
  /** Of the flaws, the part that it spoke on. */
  readonly recall: number;
  readonly found: number;
  readonly false: number;
}

/** Counts one tool over some sides. */
export function scoreOf(spoken: Spoken, sides: readonly Side[]): Score {
  const flawed = sides.filter(({ isFlawed }) => isFlawed);
  const found = flawed.filter((side) => spoken.has(side)).length;
  const wrong = sides.filter((side) => !side.isFlawed && spoken.has(side)).length;
  const precision = found + wrong === 0 ? 1 : found / (found + wrong);
  return { precision, recall: found / Math.max(1, flawed.length), found, false: wrong };
}

/** Precision and recall of our engines, of each alone, and of the linters that people use, on the same pairs. */
export async function compareReview(): Promise<readonly string[]> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'switchyard-pairs-')));
  try {
    const sides = writeSides(folder);
    const ours = await ourEngines(sides);
    const of = (isDeep: boolean): Spoken =>
      new Set([...ours].flatMap(([name, spoken]) => (name === deepName && !isDeep ? [] : [...spoken])));
    const together = of(false);
    const more = ['-D', 'correctness', '-D', 'suspicious', '-D', 'perf'];
    const rows: [string, Spoken][] = [
      ...[...ours].map(([name, spoken]): [string, Spoken] => [`our ${name}`, spoken]),
      ['switchyard review', together],
      ['switchyard review --deep', of(true)],
      ['eslint-plugin-security', await eslintSecurity(sides)],
      ['oxlint, as it comes', await oxlintAlone(folder, sides, [])],
      ['oxlint, +suspicious +perf', await oxlintAlone(folder, sides, more)],
    ];
    const security = sides.filter(({ pair }) => pair.specialization === 'security');
    return [
      ...table(`all ${sides.length / 2} pairs`, rows, sides),
      '',
      ...table(`the ${security.length / 2} pairs of security`, rows, security),
      '',
      'switchyard review by specialization',
      ...specializations.map((name) => {
        const mine = sides.filter(({ pair }) => pair.specialization === name);
        return line(`${name} (${mine.length / 2})`, scoreOf(together, mine));
      }),
      '',
      `missed: ${names(sides, (side) => side.isFlawed && !together.has(side))}`,
      `false: ${names(sides, (side) => !side.isFlawed && together.has(side))}`,
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function names(sides: readonly Side[], wanted: (side: Side) => boolean): string {
  return (
    sides
      .filter(wanted)
      .map(({ pair }) => pair.id)
      .join(' ') || 'none'
  );
}

function table(title: string, rows: readonly [string, Spoken][], sides: readonly Side[]): string[] {
  return [
    `${title.padEnd(33)} precision  recall   flaws   false alarms`,
    ...rows.map(([name, spoken]) => line(name, scoreOf(spoken, sides))),
  ];
}

function line(name: string, score: Score): string {
  const percent = (part: number): string => `${(part * 100).toFixed(0)} %`.padStart(6);
  return `${name.padEnd(33)}    ${percent(score.precision)}  ${percent(score.recall)}  ${String(score.found).padStart(6)}  ${String(score.false).padStart(6)}`;
}
