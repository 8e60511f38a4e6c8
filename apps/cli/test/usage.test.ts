import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvironment } from '@switchyard/access';
import type { RunView } from '@switchyard/protocol';
import pc from 'picocolors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandContext } from '../src/context.ts';
import { buildProgram } from '../src/program.ts';
import { openStandIn, viewOf, type StandIn } from './stand-in-hub.ts';

let folder: string;
let hub: StandIn | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-usage-'));
});
afterEach(async () => {
  await hub?.close();
  hub = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const row = {
  provider: 'anthropic',
  model: 'big',
  requests: 2,
  inputTokens: 100,
  cachedTokens: 50,
  outputTokens: 10,
};
const usage = [
  { ...row, taskId: 'a', attempt: 1, fence: 1, agent: 'codex', microUsd: 1_000_000 },
  { ...row, taskId: 'a', attempt: 2, fence: 2, agent: 'codex', microUsd: 200_000 },
  { ...row, taskId: 'b', attempt: 1, fence: 1, agent: 'llm', model: 'small', microUsd: 30_000 },
] as RunView['usage'];

async function switchyard(args: readonly string[], view: RunView): Promise<string> {
  hub = await openStandIn(({ type }) => {
    if (type === 'run-list') return ['run-listed', { runs: [view] }];
    if (type === 'budget-raise') return ['done', {}];
    return ['run-got', { view }];
  });
  let stdout = '';
  const context: CommandContext = {
    terminal: {
      out: (text) => void (stdout += text),
      err: (text) => void (stdout += text),
      isScreen: false,
      columns: () => 80,
      rows: () => 24,
      paint: pc.createColors(false),
    },
    environment: readEnvironment({ SWITCHYARD_HUB: hub.url, SWITCHYARD_TOKEN: hub.token }),
    cwd: folder,
    end: () => undefined,
  };
  await buildProgram(context).parseAsync(args, { from: 'user' });
  return stdout;
}

describe('switchyard usage', () => {
  it('adds up by task, attempt, agent or model', async () => {
    const view = viewOf({ usage });
    expect((await switchyard(['usage', 'demo'], view)).split('\n')).toEqual([
      'task  requests  read  cached  written  money',
      'a     4         200   100     20       $1.20',
      'b     2         100   50      10       $0.0300',
      'all   6         300   150     30       $1.23',
      expect.stringMatching(
        /^money by list prices of \d{4}-\d\d-\d\d, where the models file gives no others$/,
      ),
      '',
    ]);
    await hub?.close();
    expect(await switchyard(['usage', 'demo', '--by', 'attempt'], view)).toContain('a #2');
    await hub?.close();
    expect(await switchyard(['usage', 'demo', '--by', 'agent'], view)).toMatch(/^codex +4 /m);
    await hub?.close();
    expect(await switchyard(['usage', 'demo', '--by', 'model'], view)).toMatch(/^anthropic small +2 /m);
  });

  it('shows all runs, says it when there is nothing, and gives rows as JSON', async () => {
    expect(await switchyard(['usage'], viewOf({ usage }))).toMatch(/^demo-abcdef +6 /m);
    await hub?.close();
    expect(await switchyard(['usage'], viewOf())).toBe('no model was asked for anything\n');
    await hub?.close();
    const rows = JSON.parse(await switchyard(['usage', '--json'], viewOf({ usage }))) as unknown[];
    expect(rows[2]).toMatchObject({ run: 'demo-abcdef', taskId: 'b', agent: 'llm', microUsd: 30_000 });
  });

  it('stands in the view of a run, beside its budget', async () => {
    const shown = await switchyard(['run', 'show', 'demo'], viewOf({ usage, budgetUsd: 5 }));
    expect(shown).toContain('$1.23 of $5.00, 6 requests');
  });
});

describe('switchyard budget raise', () => {
  it('names the run and the money in all', async () => {
    expect(await switchyard(['budget', 'raise', 'demo', '$2.50'], viewOf())).toContain(
      'demo-abcdef is $2.5 now',
    );
    const asked = hub?.asked.find(({ type }) => type === 'budget-raise');
    expect(asked?.payload).toEqual({ run: 'demo-abcdef', usd: 2.5, perTask: false });
  });

  it('takes no amount that is none', async () => {
    await expect(switchyard(['budget', 'raise', 'demo', 'more'], viewOf())).rejects.toThrow(
      /amount of dollars/,
    );
  });
});
