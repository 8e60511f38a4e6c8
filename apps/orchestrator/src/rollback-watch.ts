import type { CommitId } from '@switchyard/protocol';
import type { RunFact } from '@switchyard/scheduler';

/** What became of a rollback. */
export type RollbackEnd =
  | { readonly kind: 'done'; readonly commit: CommitId }
  | { readonly kind: 'refused'; readonly reason: string };

/** Tells those who asked for a rollback of one run what became of it; there is at most one at a time. */
export class RollbackWatch {
  private waiting: ((end: RollbackEnd) => void)[] = [];
  private isUnderWay = false;
  private early: RollbackEnd | undefined;

  /** Call it behind the input that asks; the answer may be there already. */
  ended(): Promise<RollbackEnd> {
    const { early } = this;
    if (early !== undefined && !this.isUnderWay) return Promise.resolve(early);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** `isAsked`: there is one, after the fact. */
  follow(fact: RunFact, isAsked: boolean): void {
    const wasUnderWay = this.isUnderWay;
    this.isUnderWay = isAsked;
    if (fact.kind === 'rollback-asked') this.early = undefined;
    if (!wasUnderWay || isAsked) return;
    this.end(endOf(fact));
  }

  private end(end: RollbackEnd): void {
    this.early = end;
    for (const tell of this.waiting.splice(0)) tell(end);
  }
}

function endOf(fact: RunFact): RollbackEnd {
  switch (fact.kind) {
    case 'branch-moved':
      return { kind: 'done', commit: fact.to };
    case 'rollback-refused':
    case 'integration-abandoned':
      return { kind: 'refused', reason: fact.reason };
    default:
      throw new Error(`a rollback does not end by ${fact.kind}`);
  }
}
