import {
  messageOf,
  type AttemptKey,
  type CommitId,
  type Evidence,
  type PayloadInput,
  type PeerId,
  type PinnedCommit,
} from '@switchyard/protocol';
import { fencedAttempt, type AttemptRecord } from '@switchyard/scheduler';
import type { Loop } from './loop.ts';
import { isTrouble } from './patiently.ts';
import type { OrchestratorPorts } from './ports.ts';
import type { RunKeeper } from './run-keeper.ts';

/** A result as a worker reports it. */
export type LateResult = AttemptKey & { readonly evidence: Evidence };

/** Keeps what fenced attempts hand in: pinned in git first, then a fact; it changes nothing else. */
export class Salvager {
  private readonly ports: OrchestratorPorts;
  private readonly loop: Loop;

  constructor(ports: OrchestratorPorts, loop: Loop) {
    this.ports = ports;
    this.loop = loop;
  }

  /**
   * What the worker is told once the journal has it; undefined: the attempt was never this worker's, or its result
   * counted before. To be asked for one result of an attempt after the other: the first that is kept stays, its ref
   * never moves. Rejects only for trouble of the repository.
   */
  async take(
    keeper: RunKeeper | undefined,
    from: PeerId,
    result: LateResult,
  ): Promise<PayloadInput<'task-fenced'> | undefined> {
    if (keeper === undefined) return undefined;
    const { run, taskId, fence, evidence } = result;
    const task = keeper.state.tasks.get(taskId);
    const record = task === undefined ? undefined : fencedAttempt(task, fence);
    if (task === undefined || record?.worker !== from) return undefined;
    const told = { run, taskId, attempt: record.attempt, fence: record.fence };
    const { salvage } = record;
    if (salvage !== undefined) return { ...told, reason: keptText(salvage), salvage };
    const { commit } = evidence;
    if (commit === undefined) return { ...told, reason: `${taken}; it handed in no commit` };
    const refusal = await this.refusalOf(record, { commit, evidence, workspace: task.task.workspace });
    if (refusal === undefined) return { ...told, ...(await this.keep(keeper, result, commit)) };
    this.ports.logger.warn(
      { run, task: taskId, attempt: record.attempt, worker: from, commit, reason: refusal },
      'a late result is not kept',
    );
    return { ...told, reason: `${taken}; its result is not kept: ${refusal}` };
  }

  private async keep(keeper: RunKeeper, { run, taskId, fence }: LateResult, commit: CommitId) {
    const ref = await this.ports.repository.pinSalvage({ run, taskId, fence, commit });
    const salvage = { commit, ref };
    this.loop.input(keeper, { at: this.ports.clock.now(), kind: 'salvaged', taskId, fence, salvage });
    return { reason: keptText(salvage), salvage };
  }

  /** Why a commit may not be kept: it was never pushed, is not the attempt's, or changed what was not its to change. */
  private async refusalOf(
    record: Readonly<AttemptRecord>,
    { commit, evidence, workspace }: { commit: CommitId; evidence: Evidence; workspace: readonly string[] },
  ): Promise<string | undefined> {
    if (evidence.base !== record.base) return `it rests on ${evidence.base}, not on ${record.base}`;
    try {
      const { outside } = await this.ports.repository.checkAttempt({ commit, base: record.base, workspace });
      if (outside.length === 0) return undefined;
      return `it changed ${outside.length} file(s) outside its workspace`;
    } catch (error) {
      if (isTrouble(error)) throw error;
      return messageOf(error).slice(0, 1000);
    }
  }
}

const taken = 'the attempt was taken from this worker';

function keptText({ ref }: PinnedCommit): string {
  return `${taken}; its result is kept as ${ref}`;
}
