import { AppError } from '@switchyard/protocol';
import { openMemoryJournal, type Journal } from '@switchyard/store';
import { afterEach, describe, expect, it } from 'vitest';

const fact = (kind: string, data: unknown = {}) => ({ kind, version: 1, data });

/** What every journal does. `open` makes an empty one; `reopen`, where there is a disk, opens the same again. */
export function journalConformance(
  name: string,
  open: (onCommit?: (ms: number) => void) => Journal,
  reopen?: (journal: Journal) => Promise<Journal>,
): void {
  describe(`${name}, as a journal`, () => {
    let journal: Journal = openMemoryJournal();
    afterEach(() => journal.close());

    it('starts empty', () => {
      journal = open();
      expect([...journal.read()]).toEqual([]);
      expect(journal.streams()).toEqual([]);
    });

    it('keeps facts exactly, numbered from 1 without gaps over all streams', async () => {
      journal = open();
      const data = { text: 'ünï\u0000cödé', list: [1, null, { deep: true }], number: 1.5, big: 2 ** 52 };
      expect(await journal.append('run-a', 10, [fact('one', data), fact('two', null)])).toBe(2);
      expect(await journal.append('run-b', 11, [{ kind: 'three', version: 7, data: 'x' }])).toBe(3);
      expect([...journal.read()]).toEqual([
        { seq: 1, stream: 'run-a', at: 10, kind: 'one', version: 1, data },
        { seq: 2, stream: 'run-a', at: 10, kind: 'two', version: 1, data: null },
        { seq: 3, stream: 'run-b', at: 11, kind: 'three', version: 7, data: 'x' },
      ]);
    });

    it('reads one stream, and what came after a position', async () => {
      journal = open();
      for (let index = 1; index <= 6; index += 1) await journal.append(`s${index % 2}`, index, [fact('k')]);
      const seqs = (options?: Parameters<Journal['read']>[0]) =>
        [...journal.read(options)].map((entry) => entry.seq);
      expect(seqs({ stream: 's0' })).toEqual([2, 4, 6]);
      expect(seqs({ stream: 's0', after: 2 })).toEqual([4, 6]);
      expect(seqs({ after: 4 })).toEqual([5, 6]);
      expect(seqs({ after: 6 })).toEqual([]);
      expect(seqs({ stream: 'none' })).toEqual([]);
      expect(journal.streams()).toEqual(['s1', 's0']);
    });

    it('commits all appends of one turn of the loop together, in the order of the calls', async () => {
      let commits = 0;
      journal = open(() => (commits += 1));
      const appends = Array.from({ length: 200 }, (_, index) =>
        journal.append('s', index, [fact('k', index)]),
      );
      expect([...journal.read()], 'nothing is visible before its commit').toEqual([]);
      expect(await Promise.all(appends)).toEqual(appends.map((_, index) => index + 1));
      expect([...journal.read()].map((entry) => entry.data)).toEqual(appends.map((_, index) => index));
      expect(commits === 1 || name === 'memory').toBe(true);
    });

    it('reads more than a page, also while facts are appended', async () => {
      journal = open();
      const many = Array.from({ length: 2_500 }, (_, index) => fact('k', index));
      await journal.append('s', 1, many);
      let count = 0;
      for (const entry of journal.read({ stream: 's' })) {
        count += 1;
        expect(entry.seq).toBe(count);
        if (count === 1_200) await journal.append('s', 2, [fact('late')]);
      }
      expect(count).toBe(2_501);
    });

    it('refuses an append of nothing, and one that JSON cannot say, without harm to others', async () => {
      journal = open();
      const good = journal.append('s', 1, [fact('good')]);
      expect(() => journal.append('s', 1, [fact('bad', 1n)])).toThrow(TypeError);
      await expect(journal.append('s', 1, [])).rejects.toThrow('at least one fact');
      expect(await good).toBe(1);
      expect([...journal.read()].map((entry) => entry.kind)).toEqual(['good']);
    });

    it('commits what waits when it is closed, may be closed twice, and then refuses', async () => {
      journal = open();
      const waiting = journal.append('s', 1, [fact('k')]);
      await journal.close();
      await journal.close();
      expect(await waiting).toBe(1);
      const refused: unknown = await journal.append('s', 2, [fact('k')]).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(AppError);
      expect(refused).toMatchObject({ code: 'E_STORAGE' });
    });

    it.skipIf(reopen === undefined)('finds everything when it is opened again, and goes on', async () => {
      journal = open();
      await journal.append('s', 1, [fact('a'), fact('b')]);
      journal = (await reopen?.(journal)) ?? journal;
      expect(await journal.append('s', 2, [fact('c')])).toBe(3);
      expect([...journal.read()].map((entry) => entry.kind)).toEqual(['a', 'b', 'c']);
    });
  });
}
