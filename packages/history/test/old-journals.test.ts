import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { recover, RunHistory, snapshotShape } from '@switchyard/history';
import { runId } from '@switchyard/protocol';
import { snapshotReview } from '@switchyard/review';
import { silentLogger } from '@switchyard/runtime';
import {
  decide,
  evolve,
  factVersion,
  snapshotRun,
  type RunFact,
  type RunInput,
  type RunState,
} from '@switchyard/scheduler';
import { openMemoryJournal, type Journal, type NewFact } from '@switchyard/store';
import { describe, expect, it } from 'vitest';
import { sortedText } from './history-text.ts';

/** What went in and what was decided then, by the rule before old failures counted less and tasks were parked. */
interface Step {
  readonly input: RunInput;
  readonly facts: readonly RunFact[];
}

interface End {
  readonly phase: string;
  readonly tip: string;
  readonly tasks: Readonly<
    Record<string, { phase: string; attempts: number; round: number; outcomes: string[] }>
  >;
}

const linesOf = (name: string): string[] =>
  readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8')
    .trim()
    .split('\n');

const [first = '', ...rest] = linesOf('older-rule.ndjson');
const { end } = JSON.parse(first) as { end: End };
const steps = rest.map((line) => JSON.parse(line) as Step);
const run = runId.parse('test-run-abcdef');

async function oldJournal(): Promise<Journal> {
  const journal = openMemoryJournal();
  for (const { facts } of steps) {
    const stored = facts.map((fact) => ({ kind: fact.kind, version: factVersion, data: fact }));
    await journal.append(run, facts[0]?.at ?? 0, stored);
  }
  return journal;
}

/** A run with reviews, failures, conflicts and a bisected batch. */
async function recordedJournal(): Promise<Journal> {
  const journal = openMemoryJournal();
  for (const line of linesOf('run-with-reviews.ndjson')) {
    const fact = JSON.parse(line) as NewFact & { data: { at?: number; fact?: { at: number } } };
    await journal.append(run, fact.data.at ?? fact.data.fact?.at ?? 0, [fact]);
  }
  return journal;
}

function endOf({ phase, tip, tasks }: RunState): End {
  const each = [...tasks].map(([id, task]) => [
    id,
    {
      phase: task.phase.kind,
      attempts: task.attempts,
      round: task.round,
      outcomes: task.history.map(({ outcome }) => outcome),
    },
  ]);
  return { phase: phase.kind, tip, tasks: Object.fromEntries(each) as End['tasks'] };
}

describe('the journal of an older decision rule', () => {
  it('is of another rule: today some of its inputs lead to other facts', () => {
    let state: RunState | undefined;
    const otherwise: string[] = [];
    for (const { input, facts } of steps) {
      const today = decide(state, input);
      if (JSON.stringify(today) !== JSON.stringify(facts) && 'taskId' in input)
        otherwise.push(`${input.kind} ${input.taskId}`);
      for (const fact of facts) state = evolve(state, fact);
    }
    expect(otherwise).toContain('attempt-failed flaky');
    expect(otherwise).toContain('attempt-failed stale');
  });

  it('replays to what was decided then, and is told nothing new', async () => {
    const journal = await oldJournal();
    const before = [...journal.read()];
    const { histories } = recover({ journal, logger: silentLogger() });
    const history = histories.get(run);
    expect(history && endOf(history.state)).toEqual(end);
    expect([...journal.read()]).toEqual(before);
  });

  it('gives, after each fact, the state that this shape of snapshots is of', async () => {
    const hash = createHash('sha256');
    for (const journal of [await oldJournal(), await recordedJournal()]) {
      const history = new RunHistory(run);
      for (const fact of journal.read()) {
        history.restore(fact);
        const reviews = [...history.reviews].map(([key, review]) => [key, snapshotReview(review)]);
        hash.update(sortedText({ run: snapshotRun(history.state), reviews }));
      }
    }
    // Another digest: `evolve` or the shape of the state has changed, and snapshots of before are not what folding gives
    // now. Raise `runSnapshotShape` (or `reviewSnapshotShape`), then put the new digest here.
    expect({ shape: snapshotShape, digest: hash.digest('hex') }).toEqual({
      shape: 'history-1 run-9 review-1',
      digest: '95210ed54d588190aee911465591e710bb149c82aed9bebdce338614b2d416b1',
    });
  });
});
