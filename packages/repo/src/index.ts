export { discoverRepository, type UserRepository } from './user-repository.ts';
export { minimumGitVersion } from './git-program.ts';
export { openRunRepository, type KeptCommit, type RunRepository } from './run-repository.ts';
export { publishedName, publishedTips, type PublishedName } from './publish.ts';
export { openKeptWork, type KeptRange, type KeptWorkRepository } from './kept-work.ts';
export {
  inspectCommits,
  type CommitsFound,
  type InspectCommitsOptions,
  type NeededRevision,
} from './inspect-commits.ts';
export type { IntegrationEntry, IntegrationRequest, IntegrationResult } from './integrate.ts';
export type { RevertEntry, RevertRequest, RevertResult } from './revert.ts';
export type { ConflictFile } from './conflict-text.ts';
export type { AttemptCheck } from './workspace-check.ts';
export type { ChangedLines } from './changed-lines.ts';
export { openCheckoutView, type CheckoutChange, type CheckoutView } from './checkout-view.ts';
export type { ApplyPlan, ApplyRequest, ApplyResult } from './apply.ts';
export { gitHttpHandler, type GitHttpOptions, type GitRights } from './git-http.ts';
export type { SandboxRun, SandboxRunRequest, SandboxRunResult } from './sandbox-run.ts';
export { openObjectCache, type ObjectCache, type ObjectCacheOptions } from './object-cache.ts';
export type {
  AttemptClone,
  AttemptRequest,
  BuiltCommit,
  CommitRequest,
  Snapshot,
  SnapshotRequest,
} from './attempt-request.ts';
export { pinnedForwarder, type PinnedForwarder, type PinnedForwarderOptions } from './pinned-forwarder.ts';
