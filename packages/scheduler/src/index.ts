export { decide, nextDeadline } from './decide.ts';
export { evolve } from './evolve.ts';
export { owed } from './owed-effects.ts';
export {
  factVersion,
  isRunFactKind,
  type IntegrationFact,
  type RunFact,
  type RunFactKind,
  type TaskFact,
  type WholeRunFact,
} from './fact.ts';
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
  RunPhaseState,
  RunIndex,
  RunState,
  TaskPhaseState,
  TaskState,
  VerificationRecord,
  Wait,
} from './state.ts';
export { holdsPaths } from './run-index.ts';
export { chooseStrategy } from '@switchyard/protocol';
