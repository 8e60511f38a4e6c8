export { decide, nextDeadline } from './decide.ts';
export { evolve } from './evolve.ts';
export { owed, type OwedReview } from './owed.ts';
export { reviewFactVersion, type ReviewFact, type ReviewFactKind } from './fact.ts';
export type { VerdictFlaw } from './judge-verdict.ts';
export { chooseSpecializations, type SpecializationChoice } from './choose-specializations.ts';
export { mergeFindings } from './merge-findings.ts';
export { reviewSummaries } from './review-summaries.ts';
export type { ReviewerOffer, ReviewInput } from './input.ts';
export type { MemberPhase, ReviewMember, ReviewOutcome, ReviewRequest, ReviewState } from './state.ts';
export { restoreReview, reviewSnapshotShape, snapshotReview, type ReviewSnapshot } from './snapshot.ts';
export {
  decideSession,
  hasEnded,
  nextStep,
  reviewerSilenceMs,
  sessionStanding,
  type SessionStanding,
} from './session/decide-session.ts';
export { evolveSession } from './session/evolve-session.ts';
export type { SessionFact, SessionFactKind } from './session/session-fact.ts';
export type { SessionInput, SessionTrouble, StepOutcome, WantedReviewer } from './session/session-input.ts';
export {
  errorClasses,
  type CheckpointName,
  type Conclusion,
  type OverallStatus,
  type ReviewerState,
  type ReviewerStatus,
  type DeliverableName,
  type SessionError,
  type SessionErrorClass,
  type SessionMetrics,
  type SessionState,
  type TodoItem,
} from './session/session-document.ts';
export {
  sessionPhases,
  sessionSteps,
  stepTable,
  type SessionPhase,
  type SessionStep,
} from './session/session-phases.ts';
export { executionPercent, formulaPercent, milestonePercent } from './session/progress.ts';
export { recoveryMatrix, recoveryOf, type Recovery } from './session/recovery.ts';
export { sessionTodos } from './session/session-todos.ts';
export { qualityFormula, qualityScore, sessionMetrics } from './session/session-metrics.ts';
export { sessionProblemLine, type SessionProblem } from './session/session-problem.ts';
export { decodeSession, encodeSession, type DecodedSession } from './session/state-codec.ts';
export { headingOf, listItemOf, markdownLines, type MarkdownLine } from './session/markdown-lines.ts';
export { readTask, tickTask, type SpecTask, type TaskReading } from './session/task-document.ts';
export { readRequirements, type Requirement } from './session/spec-requirements.ts';
export { checkCoverage, type PlanCheckInput, type PlanCoverage } from './session/plan-coverage.ts';
export { checkSubstance, pathsNamed, type NamedPath, type PlanSubstance } from './session/plan-substance.ts';
export {
  chooseReviewers,
  dimensionsOf,
  type ProjectType,
  type ReviewerChoice,
} from './session/choose-reviewers.ts';
export {
  concludeSession,
  integrateResults,
  type IntegratedFinding,
  type Integration,
  type LetStand,
  type NamedFinding,
  type ReviewerResult,
  type SessionVerdict,
} from './session/integrate-results.ts';
export {
  compareWithEarlier,
  readEarlierFindings,
  unseenBlocking,
  type EarlierFinding,
  type EarlierStanding,
} from './session/earlier-findings.ts';
