export type { Journal, NewFact, ReadOptions, StoredFact } from './journal.ts';
export { openJournalReader, type JournalReader } from './journal-reader.ts';
export { inspectJournal, type InspectOptions } from './inspect-journal.ts';
export { inspectOutbox } from './inspect-outbox.ts';
export type { Observation } from './observation.ts';
export type { NewSnapshot, SnapshotHead, SnapshotReader, SnapshotShelf } from './snapshot-shelf.ts';
export { openMemoryJournal, type JournalMemory, type MemoryJournalOptions } from './memory-journal.ts';
export { openMemoryShelf } from './memory-shelf.ts';
export { openLibsqlJournal, type LibsqlJournalOptions, type ShelvedJournal } from './libsql-journal.ts';
export { openOutbox, type Outbox, type OutboxEntry, type OutboxOptions } from './outbox.ts';
export type { FileStore, StoredFile } from './file-store.ts';
export type { TurnEnd } from './turn-end.ts';
export {
  queryTables,
  TableFile,
  type DerivedTable,
  type TableColumn,
  type TableFileOptions,
  type TableRow,
  type Unusable,
} from './table-file.ts';
