import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commitId, type RunEvent } from '@switchyard/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandContext } from '../src/context.ts';
import { PlanTicker } from '../src/plan-ticker.ts';
import { viewOf } from './stand-in-hub.ts';

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'switchyard-ticker-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const plan = '| Task | Dependencies |\n|-|-|\n| a | None |\n| b | a |\n\n## Progress\n\n- [ ] a\n- [ ] b\n';
const text = (): string => readFileSync(join(folder, 'p.md'), 'utf8');

/** A ticker beside a run of `a` and `b`: tells it of what is completed, and ends it. */
function beside(file: string) {
  const view = viewOf();
  const ticker = new PlanTicker(file, { cwd: folder } as CommandContext);
  const completed = new Set<string>();
  let tell: (event: RunEvent) => void = () => undefined;
  let end: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (end = resolve));
  const done = ticker.followBeside(
    {
      on: (_name, listener) => {
        tell = listener as typeof tell;
        return () => undefined;
      },
      view: () => ({
        ...view,
        tasks: view.tasks.map((task) => ({
          ...task,
          phase: completed.has(task.id) ? 'completed' : task.phase,
        })),
      }),
    },
    over,
  );
  return {
    completes: (id: string) => {
      completed.add(id);
      tell({ kind: 'task-completed' } as RunEvent);
    },
    end: async (tip = view.tip) => {
      end();
      await done;
      return ticker.lines({ tip, base: view.base });
    },
  };
}

describe('the ticker of a plan', () => {
  it('ticks at the end what it has not ticked before', async () => {
    writeFileSync(join(folder, 'p.md'), plan);
    const run = beside('p.md');
    run.completes('a');
    run.completes('b');
    expect(await run.end(commitId.parse('b'.repeat(40)))).toEqual([
      'ticked 2 boxes in p.md; what is ticked is not run again, so apply this run',
    ]);
    expect(text()).toBe(plan.replaceAll('[ ]', '[x]'));
  });

  it('does not ask to apply a run that has changed nothing', async () => {
    writeFileSync(join(folder, 'p.md'), plan);
    const run = beside('p.md');
    run.completes('a');
    expect(await run.end()).toEqual(['ticked 1 box in p.md']);
    expect(text()).toBe(plan.replace('[ ]', '[x]'));
  });

  it('says nothing of a plan in YAML, or of one without a box', async () => {
    for (const [name, written] of [
      ['p.yaml', 'tasks: []\n'],
      ['q.md', '# Nothing\n'],
    ] as const) {
      writeFileSync(join(folder, name), written);
      const run = beside(name);
      run.completes('a');
      expect(await run.end()).toEqual([]);
      expect(readFileSync(join(folder, name), 'utf8')).toBe(written);
    }
  });

  it('tells why it cannot tick, and the run goes on', async () => {
    writeFileSync(join(folder, 'p.md'), Buffer.from([0xff, 0xfe, 0x41]));
    const run = beside('p.md');
    run.completes('a');
    expect(await run.end()).toEqual([
      'p.md is ticked no longer: the plan p.md is no UTF-8 text; save it as UTF-8',
    ]);
    rmSync(join(folder, 'p.md'));
    const gone = beside('p.md');
    gone.completes('a');
    expect((await gone.end())[0]).toMatch(
      /^p\.md is ticked no longer: the plan p\.md cannot be ticked: ENOENT/,
    );
  });
});
