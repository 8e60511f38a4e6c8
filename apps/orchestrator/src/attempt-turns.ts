import type { RunId, TaskId } from '@switchyard/protocol';

/** Names one attempt of the whole orchestrator. */
export interface AttemptName {
  readonly run: RunId;
  readonly taskId: TaskId;
  readonly fence: number;
}

/** Work on one attempt after the other of the same attempt, in the order it was given; attempts do not wait for each other. */
export class AttemptTurns {
  private readonly last = new Map<string, Promise<void>>();

  /** The answer of `work`, or its rejection, when it had its turn. */
  async take<T>(attempt: AttemptName, work: () => Promise<T>): Promise<T> {
    const key = keyOf(attempt);
    const mine = (this.last.get(key) ?? Promise.resolve()).then(work);
    const settled = mine.then(nothing, nothing); // whoever waits for `mine` is told what went wrong
    this.last.set(key, settled);
    try {
      return await mine;
    } finally {
      if (this.last.get(key) === settled) this.last.delete(key);
    }
  }

  /** When all work on an attempt that was given so far has ended; nothing if there is none. */
  underWay(attempt: AttemptName): Promise<void> | undefined {
    return this.last.get(keyOf(attempt));
  }
}

function keyOf({ run, taskId, fence }: AttemptName): string {
  return `${run}/${taskId}#${fence}`;
}

function nothing(): void {
  return undefined;
}
