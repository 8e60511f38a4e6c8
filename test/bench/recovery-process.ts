import { statSync } from 'node:fs';
import { recover } from '@switchyard/history';
import { silentLogger } from '@switchyard/runtime';
import { openLibsqlJournal } from '@switchyard/store';
import type { RecoveryFigures } from './recovery.ts';

/** A process of the bench that has just begun: opens a journal, has every run in memory, and tells how long it took. */
const file = process.argv[2] ?? '';
const logger = silentLogger();
const cpu = process.cpuUsage();
const startedAt = performance.now();
const journal = openLibsqlJournal({ file, logger });
const openMs = performance.now() - startedAt;
const { folded, histories } = recover({ journal, shelf: journal.shelf, logger });
const ms = performance.now() - startedAt;
const { user, system } = process.cpuUsage(cpu);
let facts = 0;
for (const history of histories.values()) facts += history.facts;
const figures: RecoveryFigures = {
  ms,
  openMs,
  cpuMs: (user + system) / 1_000,
  facts,
  folded,
  journalBytes: statSync(file).size,
};
await journal.close();
process.send?.(figures);
