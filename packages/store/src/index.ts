export type { Journal, NewFact, ReadOptions, StoredFact } from './journal.ts';
export { openMemoryJournal } from './memory-journal.ts';
export { openLibsqlJournal, type LibsqlJournalOptions } from './libsql-journal.ts';
export { openOutbox, type Outbox, type OutboxEntry, type OutboxOptions } from './outbox.ts';
