import { AppError } from '@switchyard/protocol';
import { openMemoryJournal, type JournalMemory } from '@switchyard/store';
import { describe, expect, it } from 'vitest';
import { journalConformance } from './journal-conformance.ts';

journalConformance('memory', () => openMemoryJournal());

const fact = (data: string) => ({ kind: 'noted', version: 1, data });
const kept = (memory: JournalMemory) => [...openMemoryJournal({ memory }).read()].map(({ data }) => data);

describe('a journal in a memory that outlives it', () => {
  it('finds what an earlier one kept, and goes on behind it', async () => {
    const memory: JournalMemory = [];
    expect(await openMemoryJournal({ memory }).append('r', 1, [fact('a')])).toBe(1);
    expect(await openMemoryJournal({ memory }).append('r', 2, [fact('b')])).toBe(2);
    expect(kept(memory)).toEqual(['a', 'b']);
  });

  it('keeps nothing, or what it was not told of, when its commit fails, and then takes nothing more', async () => {
    for (const isKept of [false, true]) {
      const memory: JournalMemory = [];
      const journal = openMemoryJournal({
        memory,
        commit: (keep) => {
          if (isKept) keep();
          throw new AppError('E_STORAGE', 'a sync failed');
        },
      });
      await expect(journal.append('r', 1, [fact('a')])).rejects.toMatchObject({ code: 'E_STORAGE' });
      await expect(journal.append('r', 1, [fact('b')])).rejects.toMatchObject({ code: 'E_STORAGE' });
      expect(kept(memory)).toEqual(isKept ? ['a'] : []);
    }
  });

  it('commits at the end of the turn that it is given', async () => {
    const memory: JournalMemory = [];
    const ends: (() => void)[] = [];
    const journal = openMemoryJournal({ memory, turnEnd: (callback) => ends.push(callback) });
    const appended = [journal.append('r', 1, [fact('a')]), journal.append('s', 1, [fact('b')])];
    expect(kept(memory)).toEqual([]);
    expect(ends).toHaveLength(1);
    ends[0]?.();
    expect(await Promise.all(appended)).toEqual([1, 2]);
  });
});
