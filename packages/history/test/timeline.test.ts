import { timelineLines, timelineOf } from '@switchyard/history';
import { runId } from '@switchyard/protocol';
import { openMemoryJournal, type Journal } from '@switchyard/store';
import { MadeUpRun, seededRandom } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';

const run = runId.parse('demo-abcdef');

async function journalOf(tasks: number): Promise<Journal> {
  const journal = openMemoryJournal();
  const world = new MadeUpRun({ run, tasks, random: seededRandom(4), trouble: 0.2 });
  for (let facts = world.take(); facts.length > 0; facts = world.step())
    await journal.append(run, world.at, facts);
  return journal;
}

const linesOf = (journal: Journal): string[] => [
  ...timelineLines(timelineOf(run, journal.read({ stream: run }))),
];

describe('the timeline of a run', () => {
  it('has a line for every fact, in their order, and is the same each time', async () => {
    const journal = await journalOf(6);
    const facts = [...journal.read()];
    const lines = linesOf(journal);
    expect(lines).toHaveLength(facts.length);
    for (const [place, { seq, kind }] of facts.entries()) {
      const line = lines[place] ?? '';
      expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z +\d+ {2}/);
      expect(line.slice(25)).toContain(`${seq}  ${kind}`);
    }
    expect(linesOf(journal)).toEqual(lines);
  });

  it('says in UTC what happened, by what watchers were told or by the fact itself', async () => {
    const lines = linesOf(await journalOf(6));
    const [first = '', second = ''] = lines;
    expect(first).toMatch(/^2023-11-14T22:13:20\.000Z {6}1 {2}run-created /);
    expect(second).toContain('6 tasks, strategy max-parallel: the plan asks for it');
    expect(linesOf(await journalOf(1))[1]).toContain(' 1 task, strategy');
    expect(lines.find((line) => line.includes('  task-accepted-for-merge '))).toMatch(
      /t\d {2}accepted\.attempt: \d, accepted\.fence: \d, accepted\.commit: [0-9a-f]{12}, /,
    );
    expect(lines.find((line) => line.includes('  review/review-verdict-given '))).toMatch(
      /t\d#\d {2}specialization: security, verdict\./,
    );
  });

  it('lets no text of others move the cursor or forge a line', async () => {
    const journal = openMemoryJournal();
    const world = new MadeUpRun({ run, tasks: 1, random: seededRandom(1) });
    await journal.append(run, 1, world.take());
    const reason = `stop\n2026 forged\u001B[2J ${'long '.repeat(200)}`;
    const data = { kind: 'run-stopping', at: 1, end: 'cancelled', reason };
    await journal.append(run, 2, [{ kind: 'run-stopping', version: 1, data }]);
    const last = linesOf(journal).at(-1) ?? '';
    expect(last).not.toMatch(/\p{Cc}/u);
    expect(last.length).toBeLessThan(320);
  });
});
