import type {
  LogFilter,
  MessageType,
  PayloadInput,
  PayloadOf,
  Plan,
  PlanTask,
  RunId,
  RunSummary,
  RunView,
} from '@switchyard/protocol';
import { ask, type Question } from './ask.ts';
import type { ClientLink } from './client-link.ts';
import { openLogFeed, type LogFeed, type LogLine, type LogOptions } from './log-feed.ts';
import { followRun, type RunHandle, type WatchOptions } from './run-handle.ts';

/** What the orchestrator does for people and other programs. Every method may throw the AppError it answers. */
export interface SwitchyardClient {
  /** Starts a run of a plan; `file` is where it came from, for the report. */
  submit(plan: Plan, file?: string): Promise<RunId>;
  runs(): Promise<readonly RunSummary[]>;
  run(run: string): Promise<RunView>;
  /** Follows a run from its beginning, or after a position. */
  watch(run: string, options?: WatchOptions): RunHandle;
  /** Cancels a run, or one of its tasks. */
  cancel(run: string, options: { readonly taskId?: string; readonly reason: string }): Promise<void>;
  pause(run: string, reason?: string): Promise<void>;
  resume(run: string): Promise<void>;
  /** Takes the merges of a task, or of a run that has ended, off the run branch; verifies, so it may take long. */
  rollback(request: PayloadInput<'run-rollback'>): Promise<PayloadOf<'run-rolled-back'>>;
  /** Raises the budget of a run, or of each of its tasks, to so many dollars in all; a run paused for it goes on. */
  raiseBudget(run: string, usd: number, perTask?: boolean): Promise<void>;
  addTasks(run: string, tasks: readonly PlanTask[]): Promise<void>;
  answerGate(answer: PayloadInput<'gate-answer'>): Promise<void>;
  answerEscalation(answer: PayloadInput<'escalation-answer'>): Promise<void>;
  /** Lets the next attempt of a task go on from a late result or work in progress that is kept. */
  takeUp(kept: PayloadInput<'kept-take-up'>): Promise<void>;
  report(run: string): Promise<PayloadOf<'report-got'>>;
  /** Merges the run branch onto the head of the user's checkout; may verify again, so it may take long. */
  apply(run: string, options?: { readonly timeoutMs?: number }): Promise<PayloadOf<'run-applied'>>;
  fleet(): Promise<PayloadOf<'fleet-got'>>;
  terminateWorker(peer: string): Promise<void>;
  /** Takes away the token that an invited worker or reviewer has, and ends its connection. */
  revokeWorker(peer: string): Promise<void>;
  /** Ends the orchestrator and the workers it started. */
  shutdown(reason: string): Promise<void>;
  /** A one-time token and what else a peer on another machine needs. */
  invite(role: PayloadInput<'invite'>['role']): Promise<PayloadOf<'invited'>>;
  /** Log lines of the whole fleet. */
  logs(filter: LogFilter, onLine: (line: LogLine) => void, options?: LogOptions): Promise<LogFeed>;
  close(): Promise<void>;
}

/** Verification may run the whole test suite of the repository. */
const applyTimeoutMs = 60 * 60_000;

/** Makes a client over a link to the hub. */
export function createClient(link: ClientLink): SwitchyardClient {
  const call = <T extends MessageType, A extends MessageType>(question: Question<T, A>) =>
    ask(link, question);
  const order = async <T extends MessageType>(type: T, payload: PayloadInput<T>): Promise<void> => {
    await ask(link, { type, payload, answer: 'done' });
  };
  return {
    submit: async (plan, file) => {
      const payload = file === undefined ? { plan } : { plan, file };
      return (await call({ type: 'run-submit', payload, answer: 'run-submitted' })).run;
    },
    runs: async () => (await call({ type: 'run-list', payload: {}, answer: 'run-listed' })).runs,
    run: async (run) => (await call({ type: 'run-get', payload: { run }, answer: 'run-got' })).view,
    watch: (run, options) => followRun(link, run, options),
    cancel: (run, options) => order('run-cancel', { run, ...options }),
    pause: (run, reason) => order('run-pause', reason === undefined ? { run } : { run, reason }),
    resume: (run) => order('run-resume', { run }),
    rollback: (payload) =>
      call({ type: 'run-rollback', payload, answer: 'run-rolled-back', timeoutMs: applyTimeoutMs }),
    raiseBudget: (run, usd, perTask = false) => order('budget-raise', { run, usd, perTask }),
    addTasks: (run, tasks) => order('run-add-tasks', { run, tasks: [...tasks] }),
    answerGate: (answer) => order('gate-answer', answer),
    answerEscalation: (answer) => order('escalation-answer', answer),
    takeUp: (kept) => order('kept-take-up', kept),
    report: (run) => call({ type: 'report-get', payload: { run }, answer: 'report-got' }),
    apply: (run, options) =>
      call({
        type: 'run-apply',
        payload: { run },
        answer: 'run-applied',
        timeoutMs: options?.timeoutMs ?? applyTimeoutMs,
      }),
    fleet: () => call({ type: 'fleet-get', payload: {}, answer: 'fleet-got' }),
    terminateWorker: (peer) => order('worker-terminate', { peer }),
    revokeWorker: (peer) => order('worker-revoke', { peer }),
    shutdown: (reason) => order('fleet-shutdown', { reason }),
    invite: (role) => call({ type: 'invite', payload: { role }, answer: 'invited' }),
    logs: (filter, onLine, options = {}) => openLogFeed(link, { filter, onLine, options }),
    close: () => link.close(),
  };
}
