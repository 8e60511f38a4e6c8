export { daemonEnvironment, readEnvironment, type Environment } from './environment.ts';
export { startEphemeral, type EphemeralOrchestrator, type EphemeralStart } from './ephemeral.ts';
export { errorFromText } from './error-from-text.ts';
export { matchRun } from './match-run.ts';
export type { AccessContext, AccessOptions, Introduction } from './options.ts';
export { OrchestratorPresence, reappearMs } from './orchestrator-presence.ts';
export {
  findRepository,
  readToken,
  runningOrchestrator,
  stateRootAsked,
  type FoundRepository,
  type OrchestratorFile,
  type RepositoryState,
} from './repository-state.ts';
export { servingOrchestrator } from './serving.ts';
export { openSession, type Session, type SessionRequest, type StartMode } from './session.ts';
export { writtenReport } from './written-report.ts';
