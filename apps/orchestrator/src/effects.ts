import {
  AppError,
  isAppError,
  messageOf,
  type CommitId,
  type Failure,
  type TaskId,
} from '@switchyard/protocol';
import { owed, type IntegrationDecision, type Lease, type Owed, type RunState } from '@switchyard/scheduler';
import { assignmentOf } from './assignment.ts';
import type { Fleet } from './fleet.ts';
import type { Loop } from './loop.ts';
import type { OrchestratorPorts, Send } from './ports.ts';
import { buildReport } from './run-report.ts';
import type { RunKeeper } from './run-keeper.ts';

/** A worker that does not answer an assignment for so long has not got it. */
const acceptTimeoutMs = 30_000;
/** Beyond its own time limit an attempt may take this long to prepare, check and hand in. */
const attemptSlackMs = 15 * 60_000;

export interface EffectContext {
  readonly ports: OrchestratorPorts;
  readonly loop: Loop;
  readonly fleet: Fleet;
  readonly send: Send;
  /** Starts the review of an attempt's commit. */
  readonly startReview: (keeper: RunKeeper, owedReview: Owed & { kind: 'review' }) => void;
  readonly finished: (keeper: RunKeeper) => void;
}

/** Performs what runs owe: each effect once at a time, again after a restart, by its id. */
export class Effects {
  private readonly underWay = new Set<string>();
  private readonly watches = new Map<string, () => void>();
  private readonly context: EffectContext;
  private readonly abort = new AbortController();

  constructor(context: EffectContext) {
    this.context = context;
  }

  perform(keeper: RunKeeper): void {
    for (const effect of owed(keeper.state)) this.performOne(keeper, effect);
  }

  /** Watches a lease that was given out, so that an attempt nobody speaks of any more does not hold its task. */
  watchLease(keeper: RunKeeper, taskId: TaskId, lease: Lease): void {
    const key = `${keeper.run}/${taskId}#${lease.fence}`;
    if (this.watches.has(key)) return;
    const limitMs = (keeper.state.tasks.get(taskId)?.task.timeoutMs ?? 0) * 2 + attemptSlackMs;
    const cancel = this.context.ports.clock.after(limitMs, () => {
      this.watches.delete(key);
      if (keeper.held.get(taskId)?.fence !== lease.fence) return;
      this.lose(keeper, taskId, lease, `no result within ${Math.round(limitMs / 60_000)} minutes`);
    });
    this.watches.set(key, cancel);
  }

  /** The lease has ended. */
  unwatchLease(keeper: RunKeeper, taskId: TaskId, fence: number): void {
    const key = `${keeper.run}/${taskId}#${fence}`;
    this.watches.get(key)?.();
    this.watches.delete(key);
  }

  close(): void {
    this.abort.abort(new Error('the orchestrator is shutting down'));
    for (const cancel of this.watches.values()) cancel();
    this.watches.clear();
  }

  private performOne(keeper: RunKeeper, effect: Owed): void {
    switch (effect.kind) {
      case 'assign':
        this.assign(keeper, effect);
        return;
      case 'review':
        this.context.startReview(keeper, effect);
        return;
      case 'integrate':
        this.once(keeper, effect.id, effect.decision.batch, () => this.integrate(keeper, effect.decision));
        return;
      case 'verify':
        this.once(keeper, effect.id, effect.batch, () => this.verify(keeper, effect));
        return;
      case 'move':
        this.once(keeper, effect.id, effect.batch, () => this.move(keeper, effect));
        return;
      case 'finish':
        this.once(keeper, effect.id, undefined, () => this.finish(keeper));
        return;
    }
  }

  /** Runs an effect unless it is under way; what goes wrong becomes an input of the run. */
  private once(keeper: RunKeeper, id: string, batch: number | undefined, work: () => Promise<void>): void {
    const key = `${keeper.run}:${id}`;
    if (this.underWay.has(key)) return;
    this.underWay.add(key);
    work()
      .catch((error: unknown) => this.failed(keeper, id, batch, error))
      .finally(() => this.underWay.delete(key))
      .catch((error: unknown) => this.context.ports.fatal(error));
  }

  private failed(keeper: RunKeeper, id: string, batch: number | undefined, error: unknown): void {
    if (this.abort.signal.aborted) return;
    this.context.ports.logger.error({ run: keeper.run, effect: id, err: error }, 'effect failed');
    if (batch === undefined) return;
    const at = this.context.ports.clock.now();
    if (isAppError(error) && error.code === 'E_RUN_BRANCH_MOVED') {
      this.context.loop.input(keeper, { at, kind: 'branch-lost', batch, reason: error.message });
    } else {
      // Later, not now: the effect is owed again as soon as this input is kept.
      this.context.loop.input(keeper, { at, kind: 'integration-errored', batch, failure: failureOf(error) });
    }
  }

  private assign(keeper: RunKeeper, effect: Owed & { kind: 'assign' }): void {
    const { ports, fleet, send } = this.context;
    const { lease, taskId } = effect;
    const worker = fleet.get(lease.worker);
    const task = keeper.state.tasks.get(taskId);
    if (worker === undefined || task === undefined) return;
    const key = `${keeper.run}:${effect.id}@${worker.session}`;
    if (this.underWay.has(key)) return;
    const sent = send(lease.worker, 'task-assignment', assignmentOf(keeper.state, task, lease), {
      fence: lease.fence,
    });
    if (sent === undefined) return;
    this.underWay.add(key);
    this.watchLease(keeper, taskId, lease);
    ports.clock.after(acceptTimeoutMs, () => {
      this.underWay.delete(key);
      const phase = keeper.state.tasks.get(taskId)?.phase;
      if (phase?.kind !== 'leased' || phase.lease.fence !== lease.fence) return;
      this.lose(
        keeper,
        taskId,
        lease,
        `${lease.worker} did not accept the assignment within ${acceptTimeoutMs / 1000} s`,
      );
    });
  }

  private lose(keeper: RunKeeper, taskId: TaskId, lease: Lease, reason: string): void {
    this.context.loop.input(keeper, {
      at: this.context.ports.clock.now(),
      kind: 'lost',
      taskId,
      fence: lease.fence,
      reason,
    });
  }

  private async integrate(keeper: RunKeeper, decision: IntegrationDecision): Promise<void> {
    const { ports, loop } = this.context;
    const result = await ports.repository.integrate({
      run: keeper.run,
      parent: decision.parent,
      at: decision.at,
      entries: decision.entries.map(({ taskId, accepted }) => ({
        taskId,
        attempt: accepted.attempt,
        fence: accepted.fence,
        commit: accepted.commit,
        base: accepted.base,
        workspace: keeper.state.tasks.get(taskId)?.task.workspace ?? [],
        title: titleOf(keeper.state, taskId),
      })),
    });
    loop.input(keeper, {
      at: ports.clock.now(),
      kind: 'merged',
      batch: decision.batch,
      tip: result.tip,
      merged: result.merged,
      conflicts: result.conflicts.map(({ taskId, files }) => ({
        taskId,
        findings: files.map(conflictFinding),
      })),
    });
  }

  private async verify(keeper: RunKeeper, effect: { batch: number; commit: CommitId }): Promise<void> {
    const { ports, loop } = this.context;
    const result = await this.verifyCommit(keeper, effect.commit);
    const parentFails = result.passed ? false : await this.parentFails(keeper);
    loop.input(keeper, {
      at: ports.clock.now(),
      kind: 'verified',
      batch: effect.batch,
      ...result,
      parentFails,
    });
  }

  /**
   * Before one task alone is blamed: does the run's base pass without it? Later tips have passed, or nothing would
   * have moved there.
   */
  private async parentFails(keeper: RunKeeper): Promise<boolean> {
    const { integration, tip, base } = keeper.state;
    if (integration.kind !== 'verifying' || integration.merged.length > 1 || tip !== base) return false;
    return !(await this.verifyCommit(keeper, base)).passed;
  }

  private verifyCommit(keeper: RunKeeper, commit: CommitId) {
    const { plan, include } = keeper.state;
    return this.context.ports.verifier.verify({ commit, plan, include, signal: this.abort.signal });
  }

  private async move(
    keeper: RunKeeper,
    effect: { batch: number; from: CommitId; to: CommitId },
  ): Promise<void> {
    const { ports, loop } = this.context;
    await ports.repository.moveRun(keeper.run, effect.from, effect.to);
    loop.input(keeper, { at: ports.clock.now(), kind: 'moved', batch: effect.batch });
  }

  private async finish(keeper: RunKeeper): Promise<void> {
    const { ports, finished } = this.context;
    if (ports.reports.find(keeper.run) === undefined) {
      await ports.repository.publish(keeper.run);
      await ports.reports.write(buildReport(keeper, ports.settings.sandbox));
      ports.logger.info({ run: keeper.run }, 'run ended; its report is written');
    }
    finished(keeper);
  }
}

function titleOf(state: RunState, taskId: TaskId): string {
  const first = state.tasks.get(taskId)?.task.instructions.split('\n', 1)[0]?.trim() ?? '';
  return first === '' ? taskId : first.slice(0, 72);
}

function conflictFinding(file: { path: string; base?: string; ours?: string; theirs?: string }) {
  const side = (name: string, text: string | undefined): string =>
    text === undefined ? `${name}: no such file` : `${name}:\n${text.slice(0, 1500)}`;
  return {
    severity: 'major' as const,
    category: 'integration',
    file: file.path,
    description: `Conflicts with what others integrated meanwhile.\n${side('integrated', file.ours)}\n${side('yours', file.theirs)}`,
    suggestion: 'Start from the integrated version and make your change on it.',
    references: [],
  };
}

/** What an effect that could not be carried out means for the run. */
export function failureOf(error: unknown): Failure {
  const code = error instanceof AppError ? error.code : 'E_INTERNAL';
  const storage = code === 'E_DISK_FULL' || code === 'E_STORAGE' || code === 'E_IO';
  return { class: storage ? 'io' : 'system', code, message: messageOf(error).slice(0, 4000) || code };
}
