import { AppError, isAppError, messageOf } from '@switchyard/protocol';
import type { NewFact } from './journal.ts';
import type { TurnEnd } from './turn-end.ts';

/** A fact whose data is text already, so that a fact that cannot be written harms only its own caller. */
export interface EncodedFact {
  readonly stream: string;
  readonly at: number;
  readonly kind: string;
  readonly version: number;
  readonly data: string;
}

interface Waiting {
  readonly facts: readonly EncodedFact[];
  resolve(last: number): void;
  reject(error: AppError): void;
}

export interface GroupCommitOptions {
  /** Keeps all facts in one transaction, synced; answers the `seq` of the first. Throws AppError. */
  readonly commit: (facts: readonly EncodedFact[]) => number;
  /** Called after each commit with its length in milliseconds. */
  readonly onCommit?: ((ms: number) => void) | undefined;
  /** Absent: that of the event loop. */
  readonly turnEnd?: TurnEnd | undefined;
}

/**
 * Gathers the appends of one turn of the event loop into one commit: the first append of a turn asks for a call
 * at the turn's end, and all that came until then share a transaction and an fsync.
 */
export class GroupCommit {
  private waiting: Waiting[] = [];
  private refusal: AppError | undefined;
  private readonly options: GroupCommitOptions;

  constructor(options: GroupCommitOptions) {
    this.options = options;
  }

  append(stream: string, at: number, facts: readonly NewFact[]): Promise<number> {
    if (this.refusal !== undefined) return Promise.reject(refused(this.refusal));
    const encoded = facts.map((fact) => encode(stream, at, fact));
    if (encoded.length === 0) return Promise.reject(new TypeError('an append needs at least one fact'));
    return new Promise((resolve, reject) => {
      this.waiting.push({ facts: encoded, resolve, reject });
      if (this.waiting.length === 1) (this.options.turnEnd ?? setImmediate)(() => this.flush());
    });
  }

  /** Commits what waits, now. */
  flush(): void {
    const group = this.waiting;
    this.waiting = [];
    if (group.length === 0) return;
    const started = performance.now();
    let seq: number;
    try {
      seq = this.options.commit(group.flatMap((entry) => entry.facts)) - 1;
    } catch (thrown) {
      this.refuse(asAppError(thrown));
      for (const entry of group) entry.reject(asAppError(thrown));
      return;
    }
    this.options.onCommit?.(performance.now() - started);
    for (const entry of group) {
      seq += entry.facts.length;
      entry.resolve(seq);
    }
  }

  /** From now on every append is refused because of `error`. */
  refuse(error: AppError): void {
    this.refusal ??= error;
  }
}

function encode(stream: string, at: number, fact: NewFact): EncodedFact {
  // JSON has no word for undefined; null stands for it.
  const data = JSON.stringify(fact.data) ?? 'null';
  return { stream, at, kind: fact.kind, version: fact.version, data };
}

function asAppError(thrown: unknown): AppError {
  return isAppError(thrown)
    ? thrown
    : new AppError('E_INTERNAL', `the journal failed: ${messageOf(thrown)}`, { cause: thrown });
}

function refused(cause: AppError): AppError {
  return new AppError(
    cause.code,
    `the journal takes nothing more until it is opened again, because of: ${cause.message}`,
    {
      cause,
      details: cause.details,
    },
  );
}
