import { join } from 'node:path';
import { failure, failureOf, type ExecutorOutcome } from '@switchyard/agents';
import { attemptFolder } from '@switchyard/peer';
import {
  AppError,
  handover,
  isPassed,
  messageOf,
  type CommitId,
  type Handover,
  type PayloadInput,
  type TaskAssignment,
} from '@switchyard/protocol';
import type { AttemptClone, ObjectCache } from '@switchyard/repo';
import { makeFolder, redactor, removeTree, type Logger } from '@switchyard/runtime';
import { copyLayer, takeReceipts, type Layer } from '@switchyard/receipts';
import { criteriaMet, criterionOf } from './acceptance.ts';
import { attemptOf, attemptRef } from './attempt-names.ts';
import { failedReport, lostReport, type AttemptReport } from './attempt-report.ts';
import { workOn } from './attempt-work.ts';
import { readHandover } from './handover.ts';
import { writeHeld } from './held-record.ts';
import { PlanDesk } from './plan-desk.ts';
import type { AttemptContext, AttemptPorts, EndedAttempt } from './ports.ts';
import type { ProgressReporter } from './progress-reporter.ts';
import { notItsToChange } from './violation-text.ts';
import { orchestratorAwayMs } from './wip.ts';
import { WipKeeper, type LastWip } from './wip-keeper.ts';
import { withRetries } from './with-retries.ts';
import { withoutSecrets, wordsWithout } from './without-secrets.ts';

/**
 * One try at a task: objects fetched, a clone of its own, the work in the sandbox, the commit, and the acceptance
 * commands on a fresh checkout of that commit. Nothing of it stays on this machine, but what it had done and could
 * not hand over.
 */
export class Attempt {
  private readonly assignment: TaskAssignment;
  private readonly ports: AttemptPorts;
  private readonly context: AttemptContext;
  private readonly progress: ProgressReporter;
  private readonly signal: AbortSignal;
  private readonly logger: Logger;
  private readonly folder: string;
  private readonly startedAt: number;
  private readonly wip: WipKeeper;
  private readonly desk: PlanDesk | undefined;
  private readonly redact: (text: string) => string;
  private clone: AttemptClone | undefined;
  private hasRun = false;

  constructor(assignment: TaskAssignment, ports: AttemptPorts, context: AttemptContext) {
    this.assignment = assignment;
    this.ports = ports;
    this.context = context;
    this.progress = context.progress;
    this.signal = context.signal;
    this.logger = context.logger;
    this.folder = join(ports.attempts, attemptFolder(assignment));
    this.startedAt = ports.clock.now();
    this.redact = redactor(ports.secrets);
    const { draft } = assignment;
    const say = (line: string): void => this.say(line);
    if (draft !== undefined) this.desk = new PlanDesk({ ...draft, names: ports.names ?? {}, say });
    const { tellWip: tell, leaving, logger } = context;
    this.wip = new WipKeeper({ assignment, ports, logger, leaving, tell, intervalMs: ports.wipIntervalMs });
  }

  /** Carries the attempt out: one that was aborted ends as lost, and every other trouble is a report too. */
  async perform(): Promise<EndedAttempt> {
    const report = withoutSecrets(await this.outcome(), this.redact);
    this.wip.stop();
    const last: LastWip = report.type === 'task-completed' ? { kind: 'none' } : await this.wip.last();
    return {
      report: last.kind === 'handed-over' ? withWip(report, last.commit) : report,
      hasLeft: last.kind === 'left' || last.kind === 'unread',
      forget: () => this.forget(last),
    };
  }

  /** What could not be handed over stays, for the next life of this worker. */
  private async forget(last: LastWip): Promise<void> {
    if (last.kind === 'unread') return;
    if (last.kind === 'left') writeHeld(this.folder, { assignment: this.assignment, wip: last.commit });
    await this.clone?.dispose();
    if (last.kind !== 'left') await removeTree(this.folder);
  }

  private async outcome(): Promise<AttemptReport> {
    const { assignment, folder, signal } = this;
    try {
      this.progress.enter('preparing');
      await removeTree(folder);
      await makeFolder(folder, 0o700);
      writeHeld(folder, { assignment });
      const objects = await this.fetch();
      const clone = await this.prepareClone(objects);
      this.clone = clone;
      const layer = await this.layer(objects, clone);
      await this.beginWork(clone, layer);
      this.hasRun = true;
      const outcome = await workOn({
        assignment,
        ports: this.ports,
        folder,
        tree: clone.tree,
        layer,
        logger: this.logger,
        signal,
        say: (message) => this.say(message),
        ask: (question) => this.context.ask(wordsWithout(question, this.redact)),
        spawnTask: this.context.spawnTask,
        pausedMs: this.context.pausedMs,
        desk: this.desk,
        found: (violations) => this.progress.found(violations),
      });
      this.wip.stop();
      signal.throwIfAborted();
      return await this.conclude(outcome, { objects, clone, layer });
    } catch (thrown) {
      if (signal.aborted) return lostReport(assignment, messageOf(signal.reason));
      const failure = failureOf(thrown);
      // What went wrong is in the log with the report; of a bug, where.
      if (failure.code === 'E_INTERNAL') this.logger.error({ err: thrown }, 'an attempt met a bug');
      // What ran before it failed was held or not: the report has to say.
      const evidence = this.hasRun ? { ...this.facts([]), receipts: [] } : undefined;
      return failedReport(assignment, failure, evidence);
    }
  }

  /** From here on there may be work to keep, also by another process after this one. */
  private async beginWork(clone: AttemptClone, layer: Layer | undefined): Promise<void> {
    const exclude = this.excluded(layer);
    writeHeld(this.folder, { assignment: this.assignment, exclude });
    await this.wip.begin(clone, exclude);
    this.progress.enter('running');
  }

  /** Places that are no work of the attempt. */
  private excluded(layer: Layer | undefined): string[] {
    return [...this.assignment.scratch, ...(layer?.entries ?? [])];
  }

  private say(message: string): void {
    this.progress.say(this.redact(message));
  }

  private retrying<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { clock, random } = this.ports;
    return withRetries(
      what,
      { clock, random, logger: this.logger, signal: this.signal, limitMs: orchestratorAwayMs },
      work,
    );
  }

  private fetch(): Promise<ObjectCache> {
    const { base, continueFrom, resumeFrom, include } = this.assignment;
    const commits = [base, continueFrom, resumeFrom?.commit, include].filter(
      (commit) => commit !== undefined,
    );
    return this.retrying('fetching objects', async () => {
      const objects = await this.ports.objects();
      await objects.fetch(commits);
      return objects;
    });
  }

  private prepareClone(objects: ObjectCache): Promise<AttemptClone> {
    const { base, continueFrom, resumeFrom, include, workspace, reads } = this.assignment;
    return objects.prepareAttempt({
      folder: join(this.folder, 'clone'),
      base,
      ...(reads !== 'all' && { readable: [...workspace, ...(reads === 'workspace' ? [] : reads)] }),
      ...(continueFrom !== undefined && { continueFrom }),
      ...(resumeFrom !== undefined && { resumeFrom: { commit: resumeFrom.commit, workspace } }),
      ...(include !== undefined && { include }),
    });
  }

  /** The layer is the base's, also in later rounds: only reviewed and merged manifests decide what is installed. */
  private async layer(objects: ObjectCache, clone: AttemptClone): Promise<Layer | undefined> {
    const { setup, base, include } = this.assignment;
    if (setup === undefined) return undefined;
    this.say('dependency layer');
    const { sandbox } = this.ports;
    const layer = await this.ports.layers.ensure({
      setup,
      commit: base,
      checkout: (commit, folder) => objects.checkout(commit, folder),
      include,
      signal: this.signal,
      onOutput: (chunk) => this.say(`set-up: ${chunk.trim().split('\n').at(-1) ?? ''}`),
    });
    if (sandbox.tier === 'none') await copyLayer(layer, clone.tree);
    return layer;
  }

  private async conclude(outcome: ExecutorOutcome, made: Made): Promise<AttemptReport> {
    const { assignment } = this;
    switch (outcome.kind) {
      case 'failed':
        return failedReport(assignment, outcome.failure, { ...this.facts([]), receipts: [] });
      case 'escalated':
        return {
          type: 'escalation',
          payload: {
            ...attemptOf(assignment),
            reason: outcome.reason,
            attemptedSolutions: [...outcome.attemptedSolutions],
            ...(outcome.needsClarification !== undefined && {
              needsClarification: outcome.needsClarification,
            }),
          },
        };
      case 'done':
        return this.handIn(outcome, made);
    }
  }

  private async handIn(outcome: ExecutorOutcome & { kind: 'done' }, made: Made): Promise<AttemptReport> {
    const { assignment, ports, signal } = this;
    this.progress.enter('checking');
    const words = this.handover(outcome);
    const built = await this.build(made);
    const commit = built.commit ?? assignment.base;
    const receipts = await this.accept(commit, made);
    const evidence = {
      ...this.facts(built.files),
      receipts,
      outputTail: outcome.outputTail,
      ...(words !== undefined && { handover: words }),
    };
    const failed = receipts.find((receipt) => !isPassed(receipt));
    if (failed !== undefined) {
      const how =
        failed.ended === 'exited' ? `ended with exit code ${failed.exitCode}` : `was ${failed.ended}`;
      const text = `the acceptance command "${failed.command}" ${how}`;
      return failedReport(
        assignment,
        failure('E_ACCEPTANCE', text, { outputTail: failed.outputTail }),
        evidence,
      );
    }
    if (built.commit !== undefined) await this.push(made.clone, built.commit);
    signal.throwIfAborted();
    return {
      type: 'task-completed',
      payload: {
        ...attemptOf(assignment),
        result: outcome.summary.slice(0, 4000),
        filesModified: built.files.map((file) => file.path),
        testsPass: true,
        acceptanceCriteria: criteriaMet(assignment.acceptance, receipts),
        evidence: {
          ...evidence,
          ...(built.commit !== undefined && { commit: built.commit }),
          finishedAt: ports.clock.now(),
        },
      },
    };
  }

  /** What it leaves for those after it, and the plan that it was to draft. */
  private handover({ said, summary }: ExecutorOutcome & { kind: 'done' }): Handover | undefined {
    const words = readHandover(join(this.folder, 'output'));
    const plan = this.desk?.result(said ?? summary);
    return plan === undefined ? words : { ...(words ?? handover.parse({})), plan };
  }

  /** The attempt's commit; tasks that only verify have none, whatever their commands left behind. */
  private async build({ clone, layer }: Made): Promise<Built> {
    const { assignment, ports } = this;
    if (assignment.kind !== 'implement') return { files: [] };
    const built = await clone.buildCommit({
      base: assignment.base,
      workspace: assignment.workspace,
      exclude: this.excluded(layer),
      message: commitMessage(assignment),
      at: ports.clock.now(),
    });
    this.signal.throwIfAborted();
    if (built.outside.length > 0) throw notItsToChange(built.outside, assignment);
    if (built.commit === undefined || built.files.length === 0) {
      throw new AppError(
        'E_NO_CHANGES',
        `the task changed nothing in its workspace (${assignment.workspace.join(', ')})`,
      );
    }
    return built;
  }

  private accept(commit: CommitId, { objects, layer }: Made) {
    const { acceptance, include, timeoutMs, scratch } = this.assignment;
    const { sandbox, clock } = this.ports;
    return takeReceipts({
      commit,
      checkout: (id, folder) => objects.checkout(id, folder),
      folder: join(this.folder, 'acceptance'),
      commands: acceptance.flatMap((item) =>
        item.kind === 'run' ? [{ criterion: criterionOf(item), command: item.run }] : [],
      ),
      layer,
      include,
      scratch,
      sandbox,
      timeoutMs,
      env: {},
      clock,
      signal: this.signal,
      onCommand: (command) => this.say(`acceptance: ${command}`),
    });
  }

  private push(clone: AttemptClone, commit: CommitId): Promise<void> {
    return this.retrying('handing the commit in', () => clone.push(attemptRef(this.assignment), commit));
  }

  private facts(files: readonly { path: string; change: ChangeKind }[]) {
    return {
      base: this.assignment.base,
      filesChanged: files.slice(0, 50_000).map(({ path, change }) => ({ path, change })),
      sandbox: this.ports.sandbox.tier,
      worker: this.ports.self,
      startedAt: this.startedAt,
      finishedAt: this.ports.clock.now(),
    };
  }
}

type ChangeKind = PayloadInput<'task-completed'>['evidence']['filesChanged'][number]['change'];

interface Built {
  readonly commit?: CommitId;
  readonly files: readonly { path: string; change: ChangeKind }[];
}

interface Made {
  readonly objects: ObjectCache;
  readonly clone: AttemptClone;
  readonly layer: Layer | undefined;
}

function withWip(report: AttemptReport, wip: CommitId): AttemptReport {
  return { ...report, payload: { ...report.payload, wip } } as AttemptReport;
}

function commitMessage(assignment: TaskAssignment): string {
  const title = `${assignment.taskId}: ${assignment.instructions.trim().split('\n')[0] ?? ''}`.slice(0, 120);
  return `${title}\n\nSwitchyard-Task: ${assignment.taskId.replaceAll('\n', ' ')}\nSwitchyard-Run: ${assignment.run}\n`;
}
