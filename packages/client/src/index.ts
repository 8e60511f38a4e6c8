export type { ClientLink } from './client-link.ts';
export { createClient, type SwitchyardClient } from './client.ts';
export type { LogFeed, LogLine, LogOptions } from './log-feed.ts';
export type { RunHandleEvent, RunHandleEvents, RunProblem } from './run-events.ts';
export type { RunHandle, WatchOptions } from './run-handle.ts';
