import { AppError } from '@switchyard/protocol';
import { GroupCommit, type EncodedFact } from './group-commit.ts';
import type { Journal, NewFact, ReadOptions, StoredFact } from './journal.ts';

/** A journal that lives as long as the process: for tests and the simulation. Same promises, no disk. */
export function openMemoryJournal(): Journal {
  return new MemoryJournal();
}

class MemoryJournal implements Journal {
  private readonly facts: EncodedFact[] = [];
  private readonly group = new GroupCommit({ commit: (facts) => this.keep(facts) });

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
