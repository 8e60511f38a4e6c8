export { openSandbox } from './sandbox.ts';
export {
  defaultLimits,
  type ProcessEnd,
  type ProcessRequest,
  type Sandbox,
  type SandboxEnd,
  type SandboxLimits,
  type SandboxMount,
  type SandboxNetwork,
  type SandboxOptions,
  type SandboxProcess,
  type SandboxRequest,
  type SandboxResult,
} from './sandbox-request.ts';
export { systemFolders, toolchains, type Toolchain, type ToolchainOptions } from './toolchains.ts';
export { GuardError } from './guard-error.ts';
export { checkCommand, checkLexical, type LexicalOptions } from './lexical.ts';
export {
  openPathGuard,
  type FileFacts,
  type ListedEntry,
  type PathGuard,
  type PathGuardPolicy,
} from './path-guard.ts';
export { attemptPathPolicy, type AttemptPaths } from './attempt-path-policy.ts';
export type { Explanation, PathIntent, PathRule } from './explain.ts';
export type { RootPolicy } from './pinned-roots.ts';
export type { EntryKind } from './tree-walk.ts';
export { applySearchReplace } from './search-replace.ts';
export { insertLines } from './text-edits.ts';
export type { SnapshotEntry } from './snapshot-entry.ts';
export { Snapshot } from './snapshot.ts';
export { takeSnapshot, type SnapshotOptions } from './take-snapshot.ts';
export { compareSnapshots, type Change } from './changes.ts';
export {
  findSuspicious,
  findViolations,
  type AuditEvent,
  type AuditEventKind,
  type AuditPolicy,
} from './audit.ts';
export { findAttemptViolations, type AttemptPolicy } from './attempt-audit.ts';
export { isProtected } from './name-rules.ts';
export { guardedMounts, type ProtectionPolicy } from './guarded-mounts.ts';
export { watchTree, type TreeEvent, type TreeWatcher, type WatchOptions } from './watch-tree.ts';
export { explainFailure, machineFacts, type MachineFacts, type MachineProbe } from './unavailable.ts';
