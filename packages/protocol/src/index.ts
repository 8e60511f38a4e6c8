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
export { reviewReport, type ReportedFinding, type ReviewReport, type ShownFinding } from './review-report.ts';
export { linesIn, rangesToShow, splitLines, type SourceRange } from './source-range.ts';
export {
  sessionReport,
  type EarlierOutcome,
  type SessionFinding,
  type SessionReport,
} from './session-report.ts';
export {
  changedFile,
  evidence,
  handover,
  receipt,
  type ChangedFile,
  type Evidence,
  type HandedInPlan,
  type Handover,
  type Receipt,
} from './evidence.ts';
export { failedReceipt, howItEnded, isPassed } from './receipt-text.ts';
export { upstreamTask, type UpstreamTask } from './handover.ts';
export {
  failure,
  failureClass,
  failureClasses,
  failureLine,
  type Failure,
  type FailureClass,
} from './failure.ts';
export { errorCode, errorTable, exitCodes, type ErrorCode, type ExitName, type Next } from './error-codes.ts';
export {
  attemptUsage,
  microUsdOf,
  modelUsage,
  providerName,
  providerNames,
  sumUsage,
  usdText,
  type ModelUsage,
  type ProviderName,
} from './model-usage.ts';
export {
  permitGrant,
  permitId,
  permitRequest,
  permitWant,
  settledPermit,
  spender,
  settlementKinds,
  usageReport,
  type PermitWant,
  type SettledPermit,
  type Spender,
} from './permit-messages.ts';
export { nearest, unknownTask } from './nearest-name.ts';
export { AppError, isAppError, messageOf, type AppErrorOptions } from './app-error.ts';
export { limits } from './limits.ts';
export {
  acceptanceItem,
  executorKinds,
  executorSpec,
  onFailures,
  gateInput,
  followUpModes,
  questionPolicies,
  gateModes,
  gateRejects,
  gateRoundsDefault,
  gateSpec,
  gateValues,
  resumes,
  plan,
  planProblem,
  planTask,
  readsSpec,
  reviewSpec,
  strategies,
  taskKinds,
  type AcceptanceItem,
  type ExecutorSpec,
  type GateInput,
  type GateSpec,
  type GateValues,
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
  attemptViolation,
  escalation,
  escalationText,
  escalationActions,
  keptKinds,
  reviewAssignment,
  reviewApproved,
  reviewRejected,
  taskAssignment,
  taskCompleted,
  taskFailed,
  verdict,
  type AttemptKey,
  type AttemptViolation,
  type EscalationAction,
  type DatedPin,
  type KeptKind,
  type PinnedCommit,
  type ResumePoint,
  type ReviewAssignment,
  type TaskAssignment,
  type TaskCompleted,
  type TaskFailed,
  type Verdict,
} from './work-messages.ts';
export {
  ignoredMessage,
  lanes,
  roles,
  type Hello,
  type IgnoredMessage,
  type Lane,
  type Role,
  type Welcome,
} from './peer-messages.ts';
export {
  progress,
  runEvent,
  runEventKinds,
  runPhases,
  runReport,
  runSummary,
  runView,
  usageRow,
  taskPhases,
  taskView,
  type AttemptReport,
  type KeptWork,
  type Progress,
  type RunEvent,
  type RunEventKind,
  type RunPhase,
  type RunReport,
  type RunSummary,
  type RunView,
  type UsageRow,
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
export { shellWord } from './shell-word.ts';
export { overlaps } from './workspace-overlap.ts';
export { agentLabel, agentOfLabel, labelOfExecutor, labelText } from './agent-label.ts';
export { taskOfWorkerId, workerIdOf } from './worker-id.ts';
