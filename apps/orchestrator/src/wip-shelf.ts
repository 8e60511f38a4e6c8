import { isAppError, type AttemptKey, type CommitId, type PeerId } from '@switchyard/protocol';
import type { Loop } from './loop.ts';
import type { OrchestratorPorts } from './ports.ts';
import type { RunKeeper } from './run-keeper.ts';

interface Upload {
  readonly from: PeerId;
  readonly attempt: AttemptKey;
  readonly commit: CommitId;
}

/**
 * Keeps the work in progress that workers push: looked at as a result is, pinned in git, then a fact. It changes
 * nothing but where the next attempt may begin.
 */
export class WipShelf {
  private readonly ports: OrchestratorPorts;
  private readonly loop: Loop;

  constructor(ports: OrchestratorPorts, loop: Loop) {
    this.ports = ports;
    this.loop = loop;
  }

  /**
   * Resolves when it is decided; false: it is no attempt of this worker. What cannot be kept is logged, and its upload
   * stays where the worker pushed it.
   */
  async keep(keeper: RunKeeper | undefined, upload: Upload): Promise<boolean> {
    const { from, attempt, commit } = upload;
    const { run, taskId, fence } = attempt;
    const task = keeper?.state.tasks.get(taskId);
    const record = task?.history.find((one) => one.fence === fence);
    if (keeper === undefined || task === undefined || record?.worker !== from) return false;
    if (record.wip?.commit === commit) return true;
    const { repository, clock } = this.ports;
    try {
      const check = { commit, base: record.base, workspace: task.task.workspace };
      const { outside } = await repository.checkAttempt(check);
      if (outside.length > 0) {
        this.refuse(upload, `it changed ${outside.length} file(s) outside its workspace`);
        return true;
      }
      const ref = await repository.pinWip({ run, taskId, fence, commit });
      this.loop.input(keeper, { at: clock.now(), kind: 'wip-kept', taskId, fence, wip: { commit, ref } });
    } catch (error) {
      if (!isAppError(error)) throw error;
      this.refuse(upload, error.message);
    }
    return true;
  }

  private refuse({ from, attempt, commit }: Upload, reason: string): void {
    const { run, taskId: task, fence } = attempt;
    this.ports.logger.warn(
      { run, task, fence, worker: from, commit, reason },
      'work in progress is not kept',
    );
  }
}
