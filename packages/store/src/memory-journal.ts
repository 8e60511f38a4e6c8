import { AppError } from '@switchyard/protocol';
import { GroupCommit, type EncodedFact } from './group-commit.ts';
import type { Journal, NewFact, ReadOptions, StoredFact } from './journal.ts';
import type { TurnEnd } from './turn-end.ts';

/** Facts as a journal keeps them; what is appended to one opening is there for the next. */
export type JournalMemory = EncodedFact[];

export interface MemoryJournalOptions {
  /** Absent: it lives as long as this journal. */
  readonly memory?: JournalMemory;
  /** Stands around each commit: `keep` keeps its facts; throws AppError where the disk fails, before `keep` or after. */
  readonly commit?: (keep: () => number) => number;
  readonly turnEnd?: TurnEnd;
}

/** A journal that has no disk of its own, with the same promises: for tests and the simulation. */
export function openMemoryJournal(options: MemoryJournalOptions = {}): Journal {
  return new MemoryJournal(options);
}

class MemoryJournal implements Journal {
  private readonly facts: JournalMemory;
  private readonly group: GroupCommit;

  constructor({ memory = [], commit = (keep) => keep(), turnEnd }: MemoryJournalOptions) {
    this.facts = memory;
    this.group = new GroupCommit({ commit: (facts) => commit(() => this.keep(facts)), turnEnd });
  }

  append(stream: string, at: number, facts: readonly NewFact[]): Promise<number> {
    return this.group.append(stream, at, facts);
  }

  *read(options: ReadOptions = {}): Iterable<StoredFact> {
    const { stream, after = 0 } = options;
    for (let index = Math.max(0, after); index < this.facts.length; index += 1) {
      const fact = this.facts[index];
      if (fact === undefined || (stream !== undefined && fact.stream !== stream)) continue;
      yield { ...fact, seq: index + 1, data: JSON.parse(fact.data) as unknown };
    }
  }

  streams(): string[] {
    return [...new Set(this.facts.map((fact) => fact.stream))];
  }

  close(): Promise<void> {
    this.group.flush();
    this.group.refuse(new AppError('E_STORAGE', 'the journal is closed'));
    return Promise.resolve();
  }

  private keep(facts: readonly EncodedFact[]): number {
    const first = this.facts.length + 1;
    this.facts.push(...facts);
    return first;
  }
}
