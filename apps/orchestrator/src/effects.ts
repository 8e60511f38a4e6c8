import {
  isAppError,
  messageOf,
  type CommitId,
  type Failure,
  type Finding,
  type RunId,
  type TaskId,
} from '@switchyard/protocol';
import type { ConflictFile } from '@switchyard/repo';
import { renderCase } from '@switchyard/report';
import { operatingError, sleep } from '@switchyard/runtime';
import { owed, type IntegrationDecision, type Owed, type RunState } from '@switchyard/scheduler';
import type { Assignments } from './assignments.ts';
import { followUpsOf } from './follow-ups.ts';
import type { Loop } from './loop.ts';
import type { OrchestratorPorts } from './ports.ts';
import { withSources } from './report-sources.ts';
import { buildReport } from './run-report.ts';
import type { RunKeeper } from './run-keeper.ts';

/** Before an integration step that failed is tried again: the disk may be full, the sandbox busy. */
const retryDelaysMs = [1_000, 5_000, 15_000] as const;

/** Files of one conflict whose both sides the next attempt is given. */
const conflictsShownMax = 50;

export interface EffectContext {
  readonly ports: OrchestratorPorts;
  readonly loop: Loop;
  readonly assignments: Assignments;
  /** Starts the review of an attempt's commit. */
  readonly startReview: (keeper: RunKeeper, owedReview: Owed & { kind: 'review' }) => void;
  readonly finished: (keeper: RunKeeper) => void;
}

/** Performs what runs owe: each effect once at a time, again after a restart, by its id. */
export class Effects {
  private readonly underWay = new Map<RunId, Map<string, AbortController>>();
  /** Case files written and tips published by this process; another one does so again. */
  private readonly done = new Set<string>();
  private readonly context: EffectContext;
  private readonly abort = new AbortController();

  constructor(context: EffectContext) {
    this.context = context;
  }

  perform(keeper: RunKeeper): void {
    const effects = owed(keeper.state);
    this.dropUnowed(keeper, effects);
    for (const effect of effects) this.performOne(keeper, effect);
  }

  close(): void {
    this.abort.abort(new Error('the orchestrator is shutting down'));
  }

  private performOne(keeper: RunKeeper, effect: Owed): void {
    switch (effect.kind) {
      case 'assign':
        this.context.assignments.tell(keeper, effect);
        return;
      case 'review':
        this.context.startReview(keeper, effect);
        return;
      case 'integrate':
        this.step(keeper, { ...effect, batch: effect.decision.batch }, () =>
          this.integrate(keeper, effect.decision),
        );
        return;
      case 'revert':
        this.step(keeper, { ...effect, batch: effect.decision.batch }, () =>
          this.revert(keeper, effect.decision),
        );
        return;
      case 'verify':
        this.step(keeper, effect, (signal) => this.verify(keeper, effect, signal));
        return;
      case 'move':
        this.step(keeper, effect, () => this.move(keeper, effect));
        return;
      case 'follow-ups':
        this.context.loop.input(keeper, followUpsOf(keeper.state, effect, this.followUpGround()));
        return;
      case 'case':
        this.writeCase(keeper, effect);
        return;
      case 'publish':
        this.publish(keeper, effect);
        return;
      case 'finish':
        this.once(keeper, effect.id, (signal) => this.finish(keeper, signal));
        return;
    }
  }

  private followUpGround() {
    const { clock, settings } = this.context.ports;
    return { at: clock.now(), names: settings.names };
  }

  /** What is under way and not owed any more (its batch was dropped) need not go on. */
  private dropUnowed(keeper: RunKeeper, effects: readonly Owed[]): void {
    const running = this.underWay.get(keeper.run);
    if (running === undefined) return;
    const ids = new Set(effects.map(({ id }) => id));
    for (const [id, controller] of running)
      if (!ids.has(id)) controller.abort(new Error('the result is not wanted any more'));
  }

  /** Runs an effect unless it is under way. */
  private once(keeper: RunKeeper, id: string, work: (signal: AbortSignal) => Promise<void>): void {
    const { ports } = this.context;
    const running = this.underWay.get(keeper.run) ?? new Map<string, AbortController>();
    if (running.has(id) || this.abort.signal.aborted) return;
    this.underWay.set(keeper.run, running);
    const controller = new AbortController();
    running.set(id, controller);
    work(AbortSignal.any([controller.signal, this.abort.signal]))
      .finally(() => {
        running.delete(id);
        if (running.size === 0) this.underWay.delete(keeper.run);
      })
      .catch((error: unknown) => {
        if (!controller.signal.aborted && !this.abort.signal.aborted) ports.fatal(error);
      });
  }

  /** One step of an integration; what goes wrong becomes an input of the run, after a while. */
  private step(
    keeper: RunKeeper,
    { id, batch }: { readonly id: string; readonly batch: number },
    work: (signal: AbortSignal) => Promise<void>,
  ): void {
    const { ports, loop } = this.context;
    this.once(keeper, id, async (signal) => {
      try {
        await work(signal);
      } catch (error) {
        signal.throwIfAborted();
        ports.logger.error({ run: keeper.run, effect: id, err: error }, 'effect failed');
        if (isAppError(error) && error.code === 'E_RUN_BRANCH_MOVED') {
          loop.input(keeper, { at: ports.clock.now(), kind: 'branch-lost', batch, reason: error.message });
          return;
        }
        await sleep(ports.clock, delayOf(keeper.state), signal);
        const failure = failureOf(error);
        loop.input(keeper, { at: ports.clock.now(), kind: 'integration-errored', batch, failure });
      }
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
        findings: conflictFindings(files),
      })),
    });
  }

  private async revert(keeper: RunKeeper, decision: IntegrationDecision): Promise<void> {
    const { ports, loop } = this.context;
    const { batch, parent, at, reverts = [] } = decision;
    const entries = reverts.map(({ taskId, commit }) => ({
      taskId,
      merge: commit,
      workspace: keeper.state.tasks.get(taskId)?.task.workspace ?? [],
      title: titleOf(keeper.state, taskId),
    }));
    const { run, state } = keeper;
    const request = { run, parent, base: state.base, at, entries };
    const { tip, isBase, conflicts } = await ports.repository.revert(request);
    loop.input(keeper, {
      at: ports.clock.now(),
      kind: 'reverted',
      batch,
      tip,
      isBase,
      conflicts: conflicts.map(({ taskId, files }) => ({ taskId, findings: files.map(revertFinding) })),
    });
  }

  private async verify(
    keeper: RunKeeper,
    { batch, commit }: { batch: number; commit: CommitId },
    signal: AbortSignal,
  ): Promise<void> {
    const { ports, loop } = this.context;
    const { plan, include, tip: accepted } = keeper.state;
    const result = await ports.verifier.verify({ commit, accepted, plan, include, signal });
    loop.input(keeper, { at: ports.clock.now(), kind: 'verified', batch, ...result });
  }

  private async move(
    keeper: RunKeeper,
    effect: { batch: number; from: CommitId; to: CommitId },
  ): Promise<void> {
    const { ports, loop } = this.context;
    await ports.repository.moveRun(keeper.run, effect.from, effect.to);
    // What a report of an ended run says is over; `finish` writes another one.
    if (keeper.ended) await ports.reports.drop(keeper.run);
    loop.input(keeper, { at: ports.clock.now(), kind: 'moved', batch: effect.batch });
  }

  /** A case file is the same however often it is written: it tells what the state has. */
  private writeCase(keeper: RunKeeper, { id, taskId, file, canAccept }: Owed & { kind: 'case' }): void {
    const { ports } = this.context;
    const { run } = keeper;
    const name = `${run} ${id}`;
    if (this.done.has(name)) return;
    this.once(keeper, id, async (signal) => {
      this.done.add(name);
      const text = renderCase(buildReport(keeper, ports), { taskId, canAccept });
      await this.trying(() => ports.reports.writeCase(file, text), { run, what: 'case', signal });
    });
  }

  /** Names the run branch in the user's repository while the run goes on; what was ended in between is done again. */
  private publish(keeper: RunKeeper, { id }: Owed & { kind: 'publish' }): void {
    const { run } = keeper;
    const name = `${run} ${id}`;
    if (this.done.has(name)) return;
    this.once(keeper, id, async (signal) => {
      await this.trying(() => this.context.ports.repository.publish(run), { run, what: 'branch', signal });
      this.done.add(name);
    });
  }

  /** Publishes the branch and writes the report; what cannot be done after some tries is left to the next start. */
  private async finish(keeper: RunKeeper, signal: AbortSignal): Promise<void> {
    const { ports, finished } = this.context;
    const { run } = keeper;
    if (ports.reports.find(run) === undefined) {
      const failure = await this.trying(() => ports.repository.publish(run), { run, what: 'branch', signal });
      const unpublished = failure === undefined ? undefined : messageOf(failure);
      const report = buildReport(keeper, ports);
      const write = async (): Promise<unknown> =>
        ports.reports.write(await withSources(report, ports.repository), unpublished);
      await this.trying(write, { run, what: 'report', signal });
    }
    finished(keeper);
  }

  /** What it failed with in the end; nothing if it is done. */
  private async trying(
    work: () => Promise<unknown>,
    { run, what, signal }: { run: RunId; what: string; signal: AbortSignal },
  ): Promise<unknown> {
    const { logger, clock } = this.context.ports;
    for (const delayMs of [...retryDelaysMs, undefined]) {
      try {
        await work();
        return undefined;
      } catch (error) {
        signal.throwIfAborted();
        logger.error({ run, what, err: error, retryMs: delayMs }, 'what a run came to could not be kept');
        if (delayMs === undefined || (isAppError(error) && error.next === 'never')) return error;
        await sleep(clock, delayMs, signal);
      }
    }
  }
}

function delayOf({ integration }: RunState): number {
  const tries = integration.kind === 'idle' ? 0 : integration.tries;
  return retryDelaysMs[Math.min(tries, retryDelaysMs.length - 1)] ?? 0;
}

function titleOf(state: RunState, taskId: TaskId): string {
  const first = state.tasks.get(taskId)?.task.instructions.split('\n', 1)[0]?.trim() ?? '';
  return first === '' ? taskId : first.slice(0, 72);
}

function conflictFindings(files: readonly ConflictFile[]): Finding[] {
  const found = files.slice(0, conflictsShownMax).map(conflictFinding);
  if (files.length <= conflictsShownMax) return found;
  const description = `${files.length - conflictsShownMax} more files conflict: ${files
    .slice(conflictsShownMax)
    .map(({ path }) => path)
    .join(', ')}`;
  return [
    ...found,
    { severity: 'major', category: 'integration', description: description.slice(0, 4000), references: [] },
  ];
}

function conflictFinding(file: ConflictFile): Finding {
  const side = (name: string, text: string | undefined): string =>
    text === undefined ? `${name}: no such file` : `${name}:\n${text.slice(0, 1500)}`;
  return {
    severity: 'major',
    category: 'integration',
    file: file.path,
    description: `Conflicts with what others integrated meanwhile.\n${side('integrated', file.ours)}\n${side('yours', file.theirs)}`,
    suggestion: 'Start from the integrated version and make your change on it.',
    references: [],
  };
}

function revertFinding({ path }: ConflictFile): Finding {
  return {
    severity: 'major',
    category: 'integration',
    file: path,
    description: 'It was changed again after the merge that is to be rolled back.',
    references: [],
  };
}

/** What an effect that could not be carried out means for the run. */
export function failureOf(thrown: unknown): Failure {
  const error = operatingError(thrown);
  const code = error?.code ?? 'E_INTERNAL';
  const storage = code === 'E_DISK_FULL' || code === 'E_STORAGE' || code === 'E_IO';
  return {
    class: storage ? 'io' : 'system',
    code,
    message: messageOf(error ?? thrown).slice(0, 4000) || code,
  };
}
