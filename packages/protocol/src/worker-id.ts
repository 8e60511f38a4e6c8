/**
 * The name of a spawned worker: one task of one run, whichever processes carry out its attempts. It can stand for run and
 * task in every tool.
 */
export function workerIdOf(run: string, taskId: string): string {
  return `worker:${run}:${taskId}`;
}

/** What a worker id names; undefined: it is none. Names of runs have no colon. */
export function taskOfWorkerId(
  workerId: string | undefined,
): { readonly run: string; readonly taskId: string } | undefined {
  const [, run, taskId] = /^worker:([^:]+):([^]+)$/.exec(workerId ?? '') ?? [];
  return run === undefined || taskId === undefined ? undefined : { run, taskId };
}
