import { describe, expect, it } from 'vitest';
import { meantGate } from '../src/gate-meant.ts';

type Client = Parameters<typeof meantGate>[0];

/** A hub whose runs have tasks that wait: for a gate, or a question. */
function hub(runs: Readonly<Record<string, Readonly<Record<string, 'gate' | 'question'>>>>): Client {
  const summaries = Object.entries(runs).map(([run, tasks]) => ({
    run,
    progress: { waiting: Object.keys(tasks).length },
  }));
  const viewOf = (run: string) => ({
    tasks: Object.entries(runs[run] ?? {}).map(([id, kind]) => ({ id, waiting: { kind } })),
  });
  return {
    runs: () => Promise.resolve(summaries),
    run: (run: string) => Promise.resolve(viewOf(run)),
  } as unknown as Client;
}

const client = hub({
  'shop-1': { deploy: 'gate', sign: 'gate', ask: 'question' },
  'shop-2': { deploy: 'gate' },
  'quiet-1': {},
});

describe('the gate that is meant', () => {
  it.each([
    [['sign'], { run: 'shop-1', task: 'sign' }],
    [['shop-1/deploy'], { run: 'shop-1', task: 'deploy' }],
    [['shop-2'], { run: 'shop-2', task: 'deploy' }],
    [['shop-2', 'deploy'], { run: 'shop-2', task: 'deploy' }],
    [['quiet', 'later'], { run: 'quiet-1', task: 'later' }],
  ] as const)('by %j', async (words, gate) => {
    expect(await meantGate(client, words)).toEqual(gate);
  });

  it.each([
    ['deploy', 'E_USAGE', 'deploy may be any of: shop-1 deploy, shop-2 deploy'],
    ['shop-1', 'E_USAGE', 'shop-1 may be any of: shop-1 deploy, shop-1 sign'],
    ['ask', 'E_TASK_UNKNOWN', 'waiting are: shop-1 deploy, shop-1 sign, shop-2 deploy'],
  ])('is not guessed from %s', async (name, code, text) => {
    await expect(meantGate(client, [name])).rejects.toMatchObject({
      code,
      message: expect.stringContaining(text) as string,
    });
  });

  it('is none where none waits', async () => {
    await expect(meantGate(hub({ 'quiet-1': {} }), ['a'])).rejects.toThrow(/no gate waits/);
  });
});
