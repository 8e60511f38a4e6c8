import {
  isAppError,
  isPassed,
  messageOf,
  type Evidence,
  type Failure,
  type PeerId,
  type PlanTask,
} from '@switchyard/protocol';
import type { RunRepository } from '@switchyard/repo';
import type { Lease } from '@switchyard/scheduler';

/** What a result is worth. */
export type CheckedResult =
  | { readonly kind: 'submitted'; readonly evidence: Evidence }
  | { readonly kind: 'attempt-failed'; readonly failure: Failure };

export interface Handed {
  readonly task: PlanTask;
  readonly lease: Lease;
  readonly evidence: Evidence;
  readonly from: PeerId;
}

/**
 * Looks at what an attempt hands in: a worker's word is not taken for what its commit changes, nor for what it was
 * asked to prove. Never rejects.
 */
export async function checkEvidence(
  repository: Pick<RunRepository, 'checkAttempt'>,
  handed: Handed,
): Promise<CheckedResult> {
  return checkWord(handed) ?? (await checkCommit(repository, handed));
}

/** What can be judged without git; undefined: there is a commit to be looked at. */
export function checkWord({ task, lease, evidence, from }: Handed): CheckedResult | undefined {
  const { commit, base } = evidence;
  if (base !== lease.base) return failed(forged(`the commit rests on ${base}, not on ${lease.base}`));
  const unproven = unprovenOf(task, evidence);
  if (unproven !== undefined) return failed(unproven);
  if (commit !== undefined) return undefined;
  if (task.kind === 'implement') return failed(nothing());
  return { kind: 'submitted', evidence: { ...evidence, worker: from } };
}

async function checkCommit(
  repository: Pick<RunRepository, 'checkAttempt'>,
  { task, evidence, from }: Handed,
): Promise<CheckedResult> {
  const { commit, base } = evidence;
  if (commit === undefined) throw new Error('a result without a commit is judged by its words');
  try {
    const { files, outside } = await repository.checkAttempt({ commit, base, workspace: task.workspace });
    if (outside.length > 0) return failed(violation(outside));
    return { kind: 'submitted', evidence: { ...evidence, worker: from, filesChanged: files } };
  } catch (error) {
    return failed(uncheckable(error));
  }
}

/** Every command of the acceptance has a receipt for this very commit, and it passed. */
function unprovenOf({ acceptance }: PlanTask, { commit, base, receipts }: Evidence): Failure | undefined {
  if (acceptance.length === 0) return undefined;
  const proven = new Set(
    receipts
      .filter((receipt) => receipt.commit === (commit ?? base))
      .filter(isPassed)
      .map(({ command }) => command),
  );
  const missing = acceptance.find((item) => item.kind === 'run' && !proven.has(item.run));
  if (missing?.kind !== 'run') return undefined;
  const message = `no receipt proves that "${missing.run}" passes on ${commit ?? base}`;
  return { class: 'logic', code: 'E_ACCEPTANCE', message: message.slice(0, 4000) };
}

function failed(failure: Failure): CheckedResult {
  return { kind: 'attempt-failed', failure };
}

function violation(outside: readonly string[]): Failure {
  const shown = outside.slice(0, 10).join(', ');
  return {
    class: 'logic',
    code: 'E_WORKSPACE_VIOLATION',
    message: `the attempt changed ${outside.length} file(s) outside its workspace: ${shown}`.slice(0, 4000),
    paths: outside.slice(0, 1000),
  };
}

function forged(why: string): Failure {
  return { class: 'logic', code: 'E_PROTOCOL', message: `the result does not belong to the attempt: ${why}` };
}

function nothing(): Failure {
  return {
    class: 'logic',
    code: 'E_NO_CHANGES',
    message: 'the task had to change something: there is no commit',
  };
}

/** A commit that is not what it should be is the worker's doing; anything else may pass. */
function uncheckable(error: unknown): Failure {
  const code = isAppError(error) ? error.code : 'E_IO';
  return {
    class: code === 'E_WORKSPACE_VIOLATION' ? 'logic' : 'io',
    code,
    message: messageOf(error).slice(0, 4000) || code,
  };
}
