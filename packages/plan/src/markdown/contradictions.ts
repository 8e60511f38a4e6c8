import { inWords } from '../problem.ts';
import type { Remark } from './draft.ts';
import type { Item, MarkdownModel } from './model.ts';
import { ancestors, isCircular, type Waits } from './order.ts';
import type { Places } from './places.ts';
import { statedCounts } from './prose.ts';

export interface Facts {
  readonly model: MarkdownModel;
  readonly waits: Waits;
  readonly places: Places;
}

/** Everything in which the document contradicts itself. */
export function contradictions(facts: Facts): Remark[] {
  const { items } = facts.model;
  return [
    ...wrongCounts(facts),
    ...items.flatMap((item) => placeRemarks(item, facts)),
    ...items.flatMap((item) => doneEarly(item, facts)),
    ...(isCircular(facts.waits) ? [] : phaseRemarks(facts)),
  ];
}

function wrongCounts({ model }: Facts): Remark[] {
  return statedCounts(model.sections).flatMap(({ count, offset, text }): Remark[] =>
    count === model.items.length
      ? []
      : [
          {
            offset,
            code: 'PLAN_COUNT',
            message: `"${text}" is said here, but the plan has ${model.items.length}`,
            fix: 'mend the number, or add what is missing',
          },
        ],
  );
}

/** In a table but in no phase; in no progress list; done, yet with an open box. */
function placeRemarks(item: Item, { model, places }: Facts): Remark[] {
  const remarks: Remark[] = [];
  const { id, offset, boxes } = item;
  if (item.source === 'table' && item.spot === undefined && model.phases.length > 0)
    remarks.push({
      offset,
      code: 'PLAN_NOT_IN_PHASE',
      message: `${id} stands in a table, but in no phase; its row orders it`,
      fix: 'add it to a phase',
    });
  if (boxes.length === 0 && model.items.some((other) => other.boxes.length > 0))
    remarks.push({
      offset,
      code: 'PLAN_NO_BOX',
      message: `${id} has no box in the list of progress, so nothing shows that it is done`,
      fix: `add \`- [ ] ${id}\``,
    });
  const open = boxes.find(({ isTicked }) => !isTicked);
  if (item.done !== undefined && open !== undefined)
    remarks.push({
      offset: open.offset,
      code: 'PLAN_DONE_OPEN',
      message: `The box of ${id} is open, but ${item.done.text} (line ${places.lineOf(item.done.offset)}), so it counts as done`,
      fix: 'tick the box, or move the document back',
    });
  return remarks;
}

/** Done before what it waits for: one of the two is not true. */
function doneEarly(item: Item, { model, waits }: Facts): Remark[] {
  if (!isItemDone(item)) return [];
  const awaited = new Set((waits.get(item.id) ?? []).map(({ id }) => id));
  const open = model.items.filter((other) => awaited.has(other.id) && !isItemDone(other)).map(({ id }) => id);
  if (open.length === 0) return [];
  const more = open.length > 5 ? [`${open.length - 5} more`] : [];
  return [
    {
      offset: item.done?.offset ?? item.boxes[0]?.offset ?? item.offset,
      code: 'PLAN_DONE_EARLY',
      message: `${item.id} counts as done, but waits for ${inWords([...open.slice(0, 5), ...more])}, which ${open.length === 1 ? 'is' : 'are'} not`,
      fix: 'nothing need be done if it holds whatever comes of those; else open it again',
    },
  ];
}

/** Where the phases and the tables give different orders; the tables win. */
function phaseRemarks(facts: Facts): Remark[] {
  const { model, waits } = facts;
  const isDone = new Set(model.items.filter(isItemDone).map(({ id }) => id));
  const tabled = model.items.filter(({ waits: own, spot, id }) => own && spot && !isDone.has(id));
  return tabled
    .flatMap((item) => {
      const before = ancestors(item.id, waits);
      return [...laterPhases(item, facts), ...falseParallel(item, facts), ...unsaid(item, before, facts)];
    })
    .concat(earlyStarts(tabled, facts));
}

/** Ticked or done otherwise: it is not run again. */
export function isItemDone({ done, boxes }: Item): boolean {
  return done !== undefined || (boxes.length > 0 && boxes.every(({ isTicked }) => isTicked));
}

const tableWins = 'the table counts; let both say the same';

/** Waits for a task of a later phase. */
function laterPhases({ id, spot }: Item, { model, waits }: Facts): Remark[] {
  const phases = new Map(model.items.map((item) => [item.id, item.spot?.phase]));
  return (waits.get(id) ?? []).flatMap((wait): Remark[] => {
    const other = phases.get(wait.id);
    if (spot === undefined || other === undefined || other <= spot.phase) return [];
    const [own, its] = [model.phases[spot.phase]?.key ?? '', model.phases[other]?.key ?? ''];
    return [
      {
        offset: wait.offset,
        code: 'PLAN_ORDER',
        message: `${id} stands in phase ${own}, but waits for ${wait.id} of phase ${its}`,
        fix: tableWins,
      },
    ];
  });
}

/** Said to run beside what it waits for. */
function falseParallel({ id, spot }: Item, { model, waits }: Facts): Remark[] {
  const phase = spot && model.phases[spot.phase];
  if (spot === undefined || phase === undefined) return [];
  const items = new Map(model.items.map((item) => [item.id, item]));
  return (waits.get(id) ?? []).flatMap((wait): Remark[] => {
    const other = items.get(wait.id)?.spot;
    if (other === undefined) return [];
    const isSamePoint = other.phase === spot.phase && other.point === spot.point;
    const beside = isSamePoint
      ? phase.items[spot.point]?.mode === 'parallel' && `"${phase.items[spot.point]?.label ?? ''}"`
      : phase.parallelWith === model.phases[other.phase]?.key &&
        other.phase !== spot.phase &&
        `phase ${phase.key}`;
    if (beside === false) return [];
    return [
      {
        offset: wait.offset,
        code: 'PLAN_ORDER',
        message: isSamePoint
          ? `${id} and ${wait.id} are said to run in parallel in ${beside}, but one waits for the other`
          : `${beside} may run beside phase ${phase.parallelWith ?? ''}, but ${id} waits for ${wait.id} of that phase`,
        fix: tableWins,
      },
    ];
  });
}

/** Said to come after the one before it, in a sequence, or after what its point names; its row does not say so. */
function unsaid({ id, spot }: Item, before: ReadonlySet<string>, { model, places }: Facts): Remark[] {
  const phase = spot && model.phases[spot.phase];
  const point = spot && phase?.items[spot.point];
  if (spot === undefined || (point?.mode ?? phase?.mode) !== 'sequential') return [];
  const last = model.items.find(
    ({ spot: other }) =>
      other?.phase === spot.phase &&
      (spot.ref > 0
        ? other.point === spot.point && other.ref === spot.ref - 1
        : phase?.mode === 'sequential' && other.point === spot.point - 1),
  );
  if (last === undefined || before.has(last.id) || isItemDone(last)) return [];
  const offset = point?.refs[spot.ref]?.offset ?? spot.ref;
  const row = model.items.find((item) => item.id === id)?.offset ?? offset;
  return [
    {
      offset,
      code: 'PLAN_ORDER',
      message: `${id} is said to come after ${last.id}, but its row (line ${places.lineOf(row)}) does not wait for it`,
      fix: tableWins,
    },
  ];
}

/** Tasks of a phase that nothing holds back until the phase before has ended: one remark for each phase. */
function earlyStarts(items: readonly Item[], { model, waits }: Facts): Remark[] {
  return model.phases.flatMap((phase, number): Remark[] => {
    const last = model.phases[number - 1];
    if (last === undefined || phase.parallelWith !== undefined) return [];
    const earlier = new Set(
      model.items
        .filter(({ spot, ...item }) => spot?.phase === number - 1 && !isItemDone(item))
        .map(({ id }) => id),
    );
    const early = items.filter(
      ({ id, spot }) =>
        spot?.phase === number && ![...ancestors(id, waits)].some((each) => earlier.has(each)),
    );
    const inPhase = items.filter(({ spot }) => spot?.phase === number).map(({ id }) => id);
    const first = early.filter(({ id }) => !(waits.get(id) ?? []).some((wait) => inPhase.includes(wait.id)));
    if (first.length === 0 || earlier.size === 0) return [];
    const names = first.slice(0, 5).map(({ id }) => id);
    const more = first.length > names.length ? [`${first.length - names.length} more`] : [];
    return [
      {
        offset: phase.offset,
        code: 'PLAN_ORDER',
        message: `Phase ${phase.key} comes after phase ${last.key}, but by the tables ${inWords([...names, ...more])} ${first.length === 1 ? 'waits' : 'wait'} for nothing in it`,
        fix: tableWins,
      },
    ];
  });
}
