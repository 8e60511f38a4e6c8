import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recover, SnapshotChore } from '@switchyard/history';
import { runId } from '@switchyard/protocol';
import { ownProcess, silentLogger, systemClock } from '@switchyard/runtime';
import { openLibsqlJournal, type ShelvedJournal } from '@switchyard/store';
import { MadeUpRun, seededRandom, type MadeUpFact } from '@switchyard/testkit';

export interface RecoveryRequest {
  readonly facts: number;
  /** How many facts are in a snapshot; the others have to be folded. 0: there is no snapshot. */
  readonly inSnapshot: number;
}

/** How long a process that has just begun takes from opening the journal to having every run in memory. */
export interface RecoveryFigures {
  readonly ms: number;
  /** Of these, opening it with its check of every page and index. */
  readonly openMs: number;
  /** Of all its threads, which a busy machine changes less. */
  readonly cpuMs: number;
  readonly facts: number;
  readonly folded: number;
  readonly journalBytes: number;
}

const logger = silentLogger();
const open = (file: string): ShelvedJournal => openLibsqlJournal({ file, logger });

/** Makes a journal of one run, then recovers it in a process of its own. */
export async function runRecovery(request: RecoveryRequest): Promise<RecoveryFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-recovery-'));
  const file = join(folder, 'journal.db');
  try {
    await fill(file, request);
    return await inProcess(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function fill(file: string, { facts, inSnapshot }: RecoveryRequest): Promise<void> {
  const journal = open(file);
  try {
    const world = new MadeUpRun({
      run: runId.parse('bench-abcdef'),
      tasks: Math.ceil(facts / 12),
      random: seededRandom(1),
      trouble: 0.02,
    });
    const made: MadeUpFact[] = world.take();
    while (made.length < facts && !world.ended) for (const fact of world.step()) made.push(fact);
    await append(journal, made.slice(0, inSnapshot));
    if (inSnapshot > 0) await keepSnapshot(journal);
    await append(journal, made.slice(inSnapshot, facts));
  } finally {
    await journal.close();
  }
}

async function append(journal: ShelvedJournal, facts: readonly MadeUpFact[]): Promise<void> {
  const size = 1_000;
  for (let at = 0; at < facts.length; at += size)
    await journal.append('bench-abcdef', 1_700_000_000_000 + at, facts.slice(at, at + size));
}

async function keepSnapshot(journal: ShelvedJournal): Promise<void> {
  const chore = new SnapshotChore({ shelf: journal.shelf, logger, clock: systemClock });
  chore.adopt(recover({ journal, logger }));
  await chore.finish();
}

/** Modules are loaded and the code is cold, as when the daemon starts. */
function inProcess(file: string): Promise<RecoveryFigures> {
  return new Promise((resolve, reject) => {
    const { entry, execArgv } = ownProcess(new URL('./recovery-process.ts', import.meta.url));
    const child = fork(entry, [file], { execArgv: [...execArgv] });
    child.once('message', (figures) => resolve(figures as RecoveryFigures));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the recovery ended with ${code}`)));
  });
}
