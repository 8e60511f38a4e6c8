export {
  commitId,
  durationMs,
  fence,
  messageId,
  peerId,
  reviewId,
  runId,
  slugOf,
  taskId,
  timestampMs,
  type CommitId,
  type Fence,
  type MessageId,
  type PeerId,
  type ReviewId,
  type RunId,
  type TaskId,
} from './ids.ts';
export {
  finding,
  isBlocking,
  severities,
  severity,
  specialization,
  specializations,
  type Finding,
  type Severity,
  type Specialization,
} from './finding.ts';
export { changedFile, evidence, receipt, type ChangedFile, type Evidence, type Receipt } from './evidence.ts';
export {
  failure,
  failureClass,
  failureClasses,
  failureLine,
  type Failure,
  type FailureClass,
} from './failure.ts';
export { errorCode, errorTable, exitCodes, type ErrorCode, type ExitName, type Next } from './error-codes.ts';
export { AppError, isAppError, messageOf, type AppErrorOptions } from './app-error.ts';
export { limits } from './limits.ts';
export {
  acceptanceItem,
  executorSpec,
  onFailures,
  plan,
  planProblem,
  planTask,
  readsSpec,
  reviewSpec,
  strategies,
  taskKinds,
  type AcceptanceItem,
  type ExecutorSpec,
  type OnFailure,
  type Plan,
  type PlanProblem,
  type PlanTask,
  type ReviewSpec,
  type Strategy,
  type TaskKind,
} from './plan-schema.ts';
export {
  attemptKey,
  attemptPhases,
  escalation,
  escalationActions,
  reviewAssignment,
  reviewApproved,
  reviewRejected,
  taskAssignment,
  taskCompleted,
  taskFailed,
  verdict,
  type AttemptKey,
  type EscalationAction,
  type ReviewAssignment,
  type TaskAssignment,
  type TaskCompleted,
  type TaskFailed,
  type Verdict,
} from './work-messages.ts';
export { lanes, roles, type Hello, type Lane, type Role, type Welcome } from './peer-messages.ts';
export {
  progress,
  runEvent,
  runEventKinds,
  runPhases,
  runReport,
  runSummary,
  runView,
  taskPhases,
  taskView,
  type AttemptReport,
  type Progress,
  type RunEvent,
  type RunEventKind,
  type RunPhase,
  type RunReport,
  type RunSummary,
  type RunView,
  type TaskPhase,
  type TaskView,
  type WaitingFor,
} from './run-view.ts';
export { logFilter, peerView, type LogFilter, type PeerView } from './client-messages.ts';
export { closeCodes, mayReconnect, type CloseName } from './close-codes.ts';
export {
  isMessageType,
  registry,
  specOf,
  type MessageSpec,
  type MessageType,
  type PayloadInput,
  type PayloadOf,
} from './registry.ts';
export { envelopeHead, parsePayload, subprotocol, type Envelope, type RawEnvelope } from './envelope.ts';
export {
  decodeFrame,
  decodePayload,
  encodeEnvelope,
  encodePayload,
  joinFrames,
  openEnvelope,
} from './codec.ts';
export {
  chooseStrategy,
  criticalPath,
  dependantsOf,
  dependenciesFirst,
  expectedRpm,
  planShape,
  remainingMinutes,
  type PlanShape,
  type StrategyChoice,
} from './strategy-choice.ts';
export { overlaps } from './workspace-overlap.ts';
