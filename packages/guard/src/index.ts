export { openSandbox } from './sandbox.ts';
export {
  defaultLimits,
  type Sandbox,
  type SandboxEnd,
  type SandboxLimits,
  type SandboxMount,
  type SandboxOptions,
  type SandboxRequest,
  type SandboxResult,
} from './sandbox-request.ts';
export { toolchains, type Toolchain, type ToolchainOptions } from './toolchains.ts';
export { GuardError } from './guard-error.ts';
export { checkLexical, type LexicalOptions } from './lexical.ts';
export {
  openPathGuard,
  type FileFacts,
  type ListedEntry,
  type PathGuard,
  type PathGuardPolicy,
} from './path-guard.ts';
export type { RootPolicy } from './pinned-roots.ts';
export type { EntryKind } from './tree-walk.ts';
export { applySearchReplace, insertLines } from './text-edits.ts';
export { takeSnapshot, type Snapshot, type SnapshotEntry, type SnapshotOptions } from './snapshot.ts';
export {
  compareSnapshots,
  findSuspicious,
  findViolations,
  type AuditEvent,
  type AuditEventKind,
  type AuditPolicy,
  type Change,
} from './audit.ts';
export { protectiveMounts, type ProtectionPolicy } from './protective-mounts.ts';
export { watchTree, type TreeEvent, type TreeWatcher, type WatchOptions } from './watch-tree.ts';
export { explainFailure, machineFacts, type MachineFacts } from './unavailable.ts';
