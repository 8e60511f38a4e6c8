export { advance, decide, isWorldInput, nextDeadline, type WorldInput } from './decide.ts';
export type { FoldedFact } from './decision.ts';
export { fencedAttempt } from './decide-salvage.ts';
export { evolve } from './evolve.ts';
export { spentBy } from './decide-usage.ts';
export { valuesBefore } from './gate-values.ts';
export { tasksBefore } from './before-task.ts';
export { owed } from './owed-effects.ts';
export {
  factVersion,
  type IntegrationFact,
  type RunFact,
  type RunFactKind,
  type TaskFact,
  type WholeRunFact,
} from './fact.ts';
export { isRunFactKind } from './fact-kinds.ts';
export { spentRows, taskUsageRows } from './usage-rows.ts';
export { progressOf, summaryOf, viewOf } from './view.ts';
export { eventsOf } from './events.ts';
export { reportAttempts, type ReportAttempts } from './report-attempts.ts';
export type { AttemptInput, FleetMember, RunInput, RunInputKind, WorkerOffer } from './input.ts';
export type { Owed } from './owed.ts';
export type {
  Accepted,
  AttemptOutcome,
  AttemptRecord,
  IntegrationDecision,
  IntegrationState,
  Lack,
  Lease,
  MergedTask,
  PauseCause,
  ReviewUsage,
  RunPhaseState,
  RunIndex,
  RunState,
  TaskPhaseState,
  TaskState,
  VerificationRecord,
  Wait,
} from './state.ts';
export { holdsPaths, isHanding } from './run-index.ts';
export { chooseStrategy } from '@switchyard/protocol';
export {
  restoreRun,
  runHead,
  runSnapshotShape,
  snapshotRun,
  type RunHead,
  type RunSnapshot,
} from './snapshot.ts';
export { touchedBy } from './touched.ts';
export { wantedLabels } from './wanted-labels.ts';
export type { MeterLimits } from './quota/meter.ts';
export type { ProviderPause } from './quota/provider.ts';
export { Quota, slotMs, unknownMs, type QuotaGrant, type QuotaTurn, type QuotaWant } from './quota/quota.ts';
