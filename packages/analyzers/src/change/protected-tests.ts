import type { TestFact } from '../code/file-facts.ts';
import type { PlacedFinding } from '../engine.ts';
import { isOfKind, languageOf } from '../path-kind.ts';
import { fitsGlob } from '../policy/path-glob.ts';
import { someOf, type ChangeCheck } from './change-check.ts';
import type { ChangeView } from './change-view.ts';
import { claimRank } from './claim-rank.ts';

interface Compared {
  readonly path: string;
  readonly before: readonly TestFact[];
  readonly after: readonly TestFact[];
  /** Nothing of it may be loosened. */
  readonly isProtected: boolean;
}

/** A change must not weaken the tests that were there: removed, skipped, or asserting less than before. */
export const protectedTests: ChangeCheck = {
  specializations: ['testing'],
  async find(view) {
    if (!view.hasBase) return [];
    const files = await compareFiles(view);
    const now = files.flatMap(({ after }) => after);
    return files.flatMap((file) => [...removedTests(file, now), ...weakerTests(file)]);
  },
};

async function compareFiles(view: ChangeView): Promise<Compared[]> {
  const globs = await view.protectedTests();
  const files: Compared[] = [];
  for (const { path, change } of [...view.present, ...view.deleted]) {
    if (!isOfKind(path, 'tests') || languageOf(path) === undefined) continue;
    const before = (await view.factsBefore(path)).tests;
    const after = change === 'deleted' ? [] : (await view.factsAfter(path)).tests;
    files.push({ path, before, after, isProtected: fitsGlob(path, globs) });
  }
  return files;
}

/** Tests that are nowhere any more; one that moved, or was given another title, is. */
function removedTests(file: Compared, now: readonly TestFact[]): PlacedFinding[] {
  const titles = new Set(now.map(lastTitle));
  const claims = new Set(now.map(claimsOf));
  const gone = file.before.filter(
    (test) => !titles.has(lastTitle(test)) && (test.assertions.length === 0 || !claims.has(claimsOf(test))),
  );
  if (gone.length === 0) return [];
  const names = someOf(gone.map(({ title }) => `"${title}"`));
  const what = gone.length === 1 ? 'a test' : `${gone.length} tests`;
  return [
    {
      severity: 'major',
      category: 'testing',
      file: file.path,
      description: `The change takes away ${what} that passed before it: ${names}.`.slice(0, 4000),
      suggestion:
        'Put it back; a test whose behaviour is no longer wanted is taken out in a change of its own.',
      references: [],
      rule: 'change/test-removed',
    },
  ];
}

function lastTitle({ title }: TestFact): string {
  return title.split(' > ').at(-1) ?? title;
}

function claimsOf({ assertions }: TestFact): string {
  return JSON.stringify(assertions);
}

function weakerTests(file: Compared): PlacedFinding[] {
  const rest = [...file.after];
  return file.before.flatMap((before) => {
    const at = rest.findIndex((test) => test.title === before.title);
    const after = at < 0 ? undefined : rest.splice(at, 1)[0];
    if (after === undefined) return [];
    return [...stateFindings(before, after), ...assertionFindings(before, after)].map((found) => ({
      category: 'testing',
      file: file.path,
      line: after.line,
      endLine: after.endLine,
      caused: true,
      references: [],
      ...found,
      severity: file.isProtected && found.severity !== 'info' ? ('major' as const) : found.severity,
    }));
  });
}

type Weakening = Pick<PlacedFinding, 'severity' | 'rule' | 'description' | 'suggestion'>;

function stateFindings(before: TestFact, after: TestFact): Weakening[] {
  if (before.state === after.state || after.state === 'active') return [];
  const isSkipped = after.state === 'skipped';
  return [
    {
      severity: 'major',
      rule: isSkipped ? 'change/test-skipped' : 'change/test-focused',
      description: isSkipped
        ? `The change switches the test "${after.title}" off.`
        : `The change lets only the test "${after.title}" run; the others of the file are left out.`,
      suggestion: 'Let it run, and mend what it finds.',
    },
  ];
}

function assertionFindings(before: TestFact, after: TestFact): Weakening[] {
  const gone = withoutCommon(before.assertions, after.assertions);
  const fresh = withoutCommon(after.assertions, before.assertions);
  if (gone.length === 0) return [];
  if (after.assertions.length === 0)
    return [
      {
        severity: 'major',
        rule: 'change/assertions-gone',
        description: `The test "${after.title}" asserts nothing any more; it had ${count(before.assertions.length)}.`,
        suggestion: 'Put the assertions back.',
      },
    ];
  const looser = gone.flatMap((old) => {
    const now = fresh.find(
      (one) => one.subject === old.subject && claimRank(one.claim) < claimRank(old.claim),
    );
    return now === undefined ? [] : [`${old.claim} became ${now.claim}`];
  });
  if (looser.length > 0)
    return [
      {
        severity: 'minor',
        rule: 'change/assertion-loosened',
        description: `The test "${after.title}" claims less than before: ${someOf(looser)}.`.slice(0, 4000),
        suggestion: 'Claim the exact value, as before.',
      },
    ];
  if (after.assertions.length < before.assertions.length)
    return [
      {
        severity: 'minor',
        rule: 'change/assertion-removed',
        description:
          `The test "${after.title}" has ${count(after.assertions.length)} in place of ${before.assertions.length}; gone: ${someOf(gone.map(({ subject, claim }) => `${subject} ${claim}`))}.`.slice(
            0,
            4000,
          ),
        suggestion: 'Put back what is gone, or say why it is not needed.',
      },
    ];
  return [
    {
      severity: 'info',
      rule: 'change/expectation-changed',
      description:
        `The test "${after.title}" expects something else than before: ${someOf(gone.map(({ subject, claim }) => `${subject} ${claim}`))}.`.slice(
          0,
          4000,
        ),
      suggestion: 'Make sure that the behaviour was meant to change.',
    },
  ];
}

function count(assertions: number): string {
  return assertions === 1 ? '1 assertion' : `${assertions} assertions`;
}

type Assertions = TestFact['assertions'];

/** What is in the first list more often than in the second. */
function withoutCommon(list: Assertions, other: Assertions): Assertions {
  const left = new Map<string, number>();
  for (const one of other) left.set(JSON.stringify(one), (left.get(JSON.stringify(one)) ?? 0) + 1);
  return list.filter((one) => {
    const many = left.get(JSON.stringify(one)) ?? 0;
    left.set(JSON.stringify(one), many - 1);
    return many <= 0;
  });
}
