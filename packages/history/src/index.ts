export { EventLog, type LoadEvents } from './event-log.ts';
export { Archivist, type ArchivistOptions, type Chore, type Kept } from './archivist.ts';
export { recover, type Recovered, type RecoverOptions } from './recover.ts';
export {
  knownFact,
  reviewFactKind,
  RunHistory,
  type HistoryStart,
  type KnownFact,
  type StoredReviewFact,
} from './run-history.ts';
export { reportOfHistory, reviewKey } from './report-tasks.ts';
export { timelineLines, timelineOf, type TimelineEntry } from './timeline.ts';
export { SnapshotChore, type SnapshotChoreOptions } from './snapshot-chore.ts';
export { historyOf, SnapshotDraft, snapshotShape, type DraftOptions } from './snapshot.ts';
export { ProjectionChore, type ProjectionChoreOptions } from './projection-chore.ts';
export { projectionTables, type ProjectionName } from './projection-tables.ts';
export {
  compareProjections,
  rebuildProjections,
  type ProjectionsFound,
  type Rebuilt,
} from './rebuild-projections.ts';
