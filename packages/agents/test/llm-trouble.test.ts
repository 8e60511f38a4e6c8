import { systemClock, systemRandom, type Clock } from '@switchyard/runtime';
import { ModelDesk, type Heard, type Said } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLlmExecutor, type ExecutorContext } from '../src/index.ts';
import { assignmentOf, complete, done, LlmBench, write } from './llm-bench.ts';

let bench: LlmBench;
beforeEach(() => {
  bench = new LlmBench();
});
afterEach(() => bench.close());

describe('trouble that does not pass', () => {
  const insufficient = JSON.stringify({ error: { message: 'no', code: 'insufficient_quota' } });
  it.each([
    ['throttled for ever', { status: 429 }, 'throttled', undefined, 6],
    [
      'throttled for longer than an attempt may wait',
      { status: 429, headers: { 'retry-after': '300' } },
      'throttled',
      300_000,
      1,
    ],
    ['out of quota', { status: 429, body: insufficient }, 'exhausted', undefined, 1],
    ['out of money', { status: 402 }, 'exhausted', undefined, 1],
    ['broken for ever', { status: 503 }, 'io', undefined, 6],
    ['cut for ever', { words: 'half of it', isCut: true }, 'io', undefined, 6],
    ['the key is wrong', { status: 401 }, 'fatal', undefined, 1],
    ['the request is wrong', { status: 400 }, 'logic', undefined, 1],
  ] as const)(
    '%s: the attempt fails in its class',
    async (_what, said, failureClass, retryAfterMs, requests) => {
      const outcome = await bench.perform([said]);
      expect(outcome).toMatchObject({
        kind: 'failed',
        failure: {
          code: 'E_MODEL',
          class: failureClass,
          ...(retryAfterMs !== undefined && { retryAfterMs }),
        },
      });
      expect(bench.model.heard).toHaveLength(requests);
    },
  );

  it('a server that cannot be reached is of class io', async () => {
    const gone = await ModelDesk.open([]);
    const { endpoint } = gone;
    await gone.close();
    expect(await bench.perform([complete], { context: { model: endpoint } })).toMatchObject({
      failure: { code: 'E_MODEL', class: 'io' },
    });
  });

  it('a silent model is given up', async () => {
    // Whoever watches the silence strikes at once; nobody waits for the attempt's end.
    const clock: Clock = {
      ...systemClock,
      after: (ms, back) => (ms >= 500_000 ? () => undefined : systemClock.after(0, back)),
    };
    expect(
      await bench.perform([{ isSilent: true }], { clock, limits: { idleMs: 300, tries: 2 } }),
    ).toMatchObject({
      failure: { class: 'io', message: expect.stringMatching(/said nothing for 0.3 s/) },
    });
    expect(bench.model.heard.length).toBeLessThanOrEqual(2);
  });

  it('a model that is held is no silent one: its signs of life count', async () => {
    let watches = 0;
    const clock: Clock = {
      ...systemClock,
      after: (ms, back) => {
        if (ms === 300_000) watches += 1;
        return systemClock.after(ms, back);
      },
    };
    const hold = async (showLife: () => void): Promise<void> => {
      for (let sign = 0; sign < 3; sign += 1) {
        const before = watches;
        showLife();
        await vi.waitFor(() => expect(watches).toBeGreaterThan(before), { timeout: 60_000 });
      }
    };
    const said = [{ ...complete, hold }];
    expect(await bench.perform(said, { clock, limits: { idleMs: 300_000 } })).toMatchObject({ kind: 'done' });
  });

  it('no model at all is said at once', async () => {
    const executor = createLlmExecutor({
      clock: bench.hurried,
      random: systemRandom,
      readRoomodes: async () => undefined,
    });
    const nobody = {} as ExecutorContext;
    const task = {
      assignment: assignmentOf({}),
      tree: '/',
      feedbackFile: '',
      instructionsFile: '',
      escalationFile: '',
      upstreamFile: '',
      handoverFile: '',
    };
    expect(await executor.execute(task, nobody)).toMatchObject({ failure: { code: 'E_EXECUTOR' } });
  });
});

describe('an agent that gets nowhere', () => {
  it('is stopped after mistakes in a row', async () => {
    const wrong = (_heard: Heard, index: number): Said => ({
      calls: [{ tool: 'read_file', input: { path: `no-${index}` } }],
    });
    expect(await bench.perform(wrong)).toMatchObject({
      failure: {
        code: 'E_AGENT_STUCK',
        class: 'logic',
        message: expect.stringMatching(/mistakes for 6 turns in a row/),
      },
    });
    expect(bench.model.heard).toHaveLength(6);
  });

  it('is stopped when it makes the same call again and again, though it works', async () => {
    expect(await bench.perform([{ calls: [{ tool: 'list_files', input: {} }] }])).toMatchObject({
      failure: { code: 'E_AGENT_STUCK' },
    });
    expect(bench.model.heard).toHaveLength(3 + 6);
    expect(bench.model.heard.at(-1)?.body).toContain('You made this very call before');
  });

  it('is stopped when it only talks', async () => {
    expect(await bench.perform([{ words: 'I am done, I think.' }])).toMatchObject({
      failure: { code: 'E_AGENT_STUCK' },
    });
    expect(bench.model.heard[1]?.body).toContain('You called no tool');
  });

  it('is stopped after so many turns', async () => {
    const busy = (_heard: Heard, index: number): Said => ({ calls: [write(`src/${index}`, 'x')] });
    expect(await bench.perform(busy, { limits: { turns: 9 } })).toMatchObject({
      failure: { code: 'E_AGENT_STUCK', message: expect.stringMatching(/within 9 turns/) },
    });
  });

  it('is stopped when it floods, in words and in calls', async () => {
    const flood = { words: 'x'.repeat(60_000) };
    expect(await bench.perform([flood], { limits: { turnChars: 50_000 } })).toMatchObject({
      failure: {
        code: 'E_MODEL',
        class: 'logic',
        message: expect.stringMatching(/more than 50000 characters/),
      },
    });
    const calls = Array.from({ length: 40 }, (_, at) => write(`src/f${at}`, 'x'));
    expect(await bench.perform([{ calls }, complete])).toMatchObject(done);
    expect(bench.desk.file('src/f31')).toBe('x');
    expect(() => bench.desk.file('src/f32')).toThrow();
  });

  it('that completes beside a call that fails has not completed', async () => {
    const outcome = await bench.perform([
      { calls: [write('lib/kept.ts', 'x'), ...(complete.calls ?? [])] },
      { calls: [write('src/b.ts', 'x'), ...(complete.calls ?? [])] },
    ]);
    expect(outcome).toMatchObject(done);
    expect(bench.model.heard).toHaveLength(2);
    expect(bench.model.heard[1]?.body).toContain('Not completed');
  });
});

describe('the context', () => {
  it('is kept within its limit: old results are shortened first, and it is told how much', async () => {
    const reading = (heard: Heard, index: number): Said =>
      index < 12
        ? {
            words: `turn ${index}`,
            inputTokens: Math.ceil(heard.body.length / 4),
            calls: [
              write(`src/${index}`, 'y'),
              { tool: 'read_file', input: { path: 'src/big', start_line: index + 1 } },
            ],
          }
        : complete;
    await bench.desk.guard.writeFile('src/big', `${'x'.repeat(100)}\n`.repeat(100));
    expect(await bench.perform(reading, { limits: { contextTokens: 14_000 } })).toMatchObject(done);
    const sizes = bench.model.heard.map(({ body }) => body.length);
    expect(sizes.length).toBe(13);
    expect(Math.max(...sizes)).toBeLessThan(80_000);
    const last = bench.model.heard.at(-1)?.body ?? '';
    expect(last).toContain('Write the login module');
    expect(last).toContain('characters were left out to make room');
    expect(bench.events).toContainEqual(
      expect.objectContaining({ kind: 'note', text: expect.stringMatching(/^made room: [1-9]\d* results/) }),
    );
  });

  it('is made smaller when the model says that it is too long', async () => {
    const tooLong = JSON.stringify({
      type: 'error',
      error: { type: 'invalid_request_error', message: 'prompt is too long: 9 > 5' },
    });
    await bench.desk.guard.writeFile('src/big', `${'x'.repeat(100)}\n`.repeat(200));
    const script = (heard: Heard, index: number): Said => {
      if (heard.body.length > 60_000) return { status: 400, body: tooLong };
      return index < 9
        ? { calls: [{ tool: 'read_file', input: { path: 'src/big', start_line: index + 1 } }] }
        : complete;
    };
    expect(await bench.perform(script)).toMatchObject(done);
    expect(Math.max(...bench.model.heard.map(({ body }) => body.length))).toBeGreaterThan(60_000);
  });
});
