import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareSnapshots, findSuspicious, findViolations, Snapshot } from '@switchyard/guard';

const names = ['HEAD', 'objects', 'refs', 'commondir', '.git', 'f', 'l', 'm'];
const targets = [
  'l',
  'm',
  'f',
  '..',
  '../..',
  'a/../..',
  '/tree/a/l',
  '/elsewhere',
  './a',
  'f 644 1',
  '../l/f',
];
const path = fc
  .tuple(fc.constantFrom('', '', 'a/', 'b/', 'a/b/', 'l/', '.git/'), fc.constantFrom(...names))
  .map(([folder, name]) => folder + name);
/** Facts and target. */
const what = fc.oneof(
  fc
    .constantFrom('f 644 1 7 0 1 1', 'f 644 2 8 0 1 1', 'f 4755 1 9 0 1 1', 'p 644 1 9 0 1 1')
    .map((facts) => [facts, '']),
  fc.constantFrom('f 644 1 7 0 1 1', 'd 755 2 1 0 1 1', 'd 755 2 1 0 2 2').map((facts) => [facts, '']),
  fc.constantFrom(...targets).map((target) => [`l 777 1 9 1 1 1`, target]),
);
type Tree = ReadonlyMap<string, readonly string[]>;
const tree = fc.array(fc.tuple(path, what), { maxLength: 14 }).map((all): Tree => treeOf(new Map(all)));

/** What lies in a folder, which is made where it is not there; what lies in anything else is left out. */
function treeOf(wanted: Tree): Tree {
  const rows = new Map<string, readonly string[]>();
  for (const [at, row] of [...wanted].toSorted(([a], [b]) => a.split('/').length - b.split('/').length)) {
    const above = at
      .split('/')
      .slice(0, -1)
      .map((_, index, all) => all.slice(0, index + 1).join('/'));
    if (above.some((folder) => rows.get(folder)?.[0]?.startsWith('d') === false)) continue;
    for (const folder of above) if (!rows.has(folder)) rows.set(folder, ['d 755 2 1 0 1 1', '']);
    rows.set(at, row);
  }
  return rows;
}

const snapshotOf = (rows: Tree): Snapshot =>
  new Snapshot(
    '/tree',
    Buffer.from(
      [...rows].map(([at, [facts = '', target = '']]) => `${facts}\0./${at}\0${target}\0`).join(''),
    ),
  );

/** Two trees, the second of which has nearly all of the first. */
const pair = fc
  .tuple(tree, tree, fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), fc.integer({ min: 0, max: 3 }))
  .map(([before, other, stays, most]) => {
    const kept = [...before].filter((_, index) => most > 0 || stays[index]);
    const made = [...other].slice(0, most === 3 ? 14 : most);
    return { before, after: treeOf(new Map([...kept, ...made])) };
  });

const told = (events: readonly { readonly kind: string; readonly path: string }[]): string[] =>
  events.map(({ kind, path: at }) => `${kind} ${at}`).sort();
const policy = { readable: ['/elsewhere/not'] };

describe('violations', () => {
  it('are what is suspicious after, but was not before, however little of it was looked at', () => {
    fc.assert(
      fc.property(pair, ({ before, after }) => {
        const known = told(findSuspicious(snapshotOf(before), policy));
        const now = told(findSuspicious(snapshotOf(after), policy)).filter((event) => !known.includes(event));
        const events = findViolations(snapshotOf(before), snapshotOf(after), policy);
        expect(told(events.filter(({ kind }) => kind !== 'protected-changed'))).toEqual(now);
        const changed = new Set(
          compareSnapshots(snapshotOf(before), snapshotOf(after)).map(({ path: at }) => at),
        );
        for (const { kind, path: at } of events)
          if (kind === 'protected-changed') expect(changed).toContain(at);
      }),
      { numRuns: 5000 },
    );
  });
});
