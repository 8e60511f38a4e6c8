import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commitId, peerId, runId } from '@switchyard/protocol';
import { RunHistory } from '@switchyard/history';
import { silentLogger } from '@switchyard/runtime';
import {
  advance,
  decide,
  factVersion,
  type RunFact,
  type RunInput,
  type WorldInput,
} from '@switchyard/scheduler';
import { openLibsqlJournal } from '@switchyard/store';
import { buildPlan, buildTask } from '@switchyard/testkit';
import Database from 'libsql';

export interface TransitionRequest {
  readonly transitions: number;
  /** How many share a transaction: one, or what comes in a turn under load. */
  readonly together: number;
}

export interface TransitionFigures {
  readonly transitions: number;
  readonly commits: number;
  readonly wallMs: number;
}

const at = 1_700_000_000_000;

/** Raw libSQL: fence check, state and event of each transition in one transaction, with the pragmas of the journal. */
export function runRawTransitions(request: TransitionRequest): Promise<TransitionFigures> {
  return inFolder((folder) => {
    const db = new Database(join(folder, 'raw.db'));
    try {
      db.exec('pragma journal_mode = wal; pragma synchronous = full;');
      db.exec('create table tasks (id text primary key, fence integer not null, state text not null)');
      db.exec('create table events (seq integer primary key, task text, at integer, kind text, data text)');
      const add = db.prepare('insert into tasks values (?, ?, ?)');
      db.exec('begin');
      for (let number = 0; number < request.transitions; number += 1) add.run(`t${number}`, 1, 'leased');
      db.exec('commit');
      return Promise.resolve(rawPass(db, request));
    } finally {
      db.close();
    }
  });
}

function rawPass(db: Database.Database, { transitions, together }: TransitionRequest): TransitionFigures {
  const fenceOf = db.prepare('select fence from tasks where id = ?').raw(true);
  const change = db.prepare('update tasks set state = ? where id = ?');
  const insert = db.prepare('insert into events (task, at, kind, data) values (?, ?, ?, ?)');
  let commits = 0;
  const startedAt = performance.now();
  for (let number = 0; number < transitions;) {
    db.exec('begin immediate');
    for (let count = 0; count < together && number < transitions; count += 1, number += 1) {
      const id = `t${number}`;
      const [fence] = fenceOf.get(id) as [number];
      if (fence !== 1) throw new Error(`${id} has another fence`);
      change.run('preparing', id);
      const event = { kind: 'attempt-accepted', at, taskId: id, fence };
      insert.run(id, at, event.kind, JSON.stringify(event));
    }
    db.exec('commit');
    commits += 1;
  }
  return { transitions, commits, wallMs: performance.now() - startedAt };
}

/** Ours: the scheduler decides with the fence and folds, the journal keeps the fact, checksummed, under its own fence. */
export function runOurTransitions(request: TransitionRequest): Promise<TransitionFigures> {
  return inFolder(async (folder) => {
    const history = leasedRun(request.transitions);
    let commits = 0;
    const journal = openLibsqlJournal({
      file: join(folder, 'journal.db'),
      logger: silentLogger(),
      onCommit: () => (commits += 1),
    });
    try {
      const inputs = [...history.state.tasks.values()].map(({ task, fence }): WorldInput => ({
        kind: 'accepted',
        at,
        taskId: task.id,
        fence,
      }));
      const startedAt = performance.now();
      for (let number = 0; number < inputs.length; number += request.together) {
        const turn = inputs.slice(number, number + request.together);
        await journal.append(
          history.run,
          at,
          turn.flatMap((input) => decided(history, input)),
        );
      }
      const wallMs = performance.now() - startedAt;
      return { transitions: inputs.length, commits, wallMs };
    } finally {
      await journal.close();
    }
  });
}

function decided(history: RunHistory, input: WorldInput): { kind: string; version: number; data: RunFact }[] {
  const facts: RunFact[] = [];
  advance(history.state, input, (fact) => {
    history.follow(fact);
    facts.push(fact);
  });
  if (facts.length === 0) throw new Error('a transition that changed nothing');
  return facts.map((data) => ({ kind: data.kind, version: factVersion, data }));
}

/** A run all of whose tasks are leased, once each. */
function leasedRun(tasks: number): RunHistory {
  const history = new RunHistory(runId.parse('bench-abcdef'));
  const input = (one: RunInput): void => {
    for (const fact of decide(history.known, one)) history.fold(fact);
  };
  const plan = buildPlan(
    Array.from({ length: tasks }, (_, number) => buildTask({ id: `t${number}`, kind: 'verify' })),
  );
  const base = commitId.parse('0'.repeat(40));
  input({
    kind: 'create',
    at,
    run: history.run,
    plan: { ...plan, limits: { ...plan.limits, workers: tasks } },
    base,
  });
  input({ kind: 'start', at });
  input({ kind: 'offer', at, offers: [{ worker: peerId.parse('w1'), labels: [], freeSlots: tasks }] });
  return history;
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-transitions-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
