import {
  methods,
  RequestError,
  type AgentContext,
  type SessionModeState,
  type SessionUpdate,
} from '@agentclientprotocol/sdk';
import { agentTable } from '@switchyard/agents';
import { limits } from '@switchyard/protocol';
import { settle } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AcpBench } from './acp-bench.ts';

let bench: AcpBench;
beforeEach(() => {
  bench = new AcpBench();
});
afterEach(() => bench.close());

const update = (client: AgentContext, what: SessionUpdate) =>
  client.notify(methods.client.session.update, { sessionId: 's1', update: what });
const says = (text: string): SessionUpdate => ({
  sessionUpdate: 'agent_message_chunk',
  content: { type: 'text', text },
});

describe('a turn over the protocol', () => {
  it('greets with what we serve, opens a session in the checkout, and prompts with the task', async () => {
    const heard = bench.play({});
    expect(await bench.perform()).toMatchObject({ kind: 'done', summary: 'claude-code is done' });
    expect(heard.initialize?.clientCapabilities).toMatchObject({
      fs: { readTextFile: true, writeTextFile: true },
      terminal: true,
    });
    expect(heard.session).toMatchObject({ cwd: '/tree', mcpServers: [] });
    expect(heard.prompt?.prompt[0]).toMatchObject({
      text: expect.stringContaining('# Task: auth-login') as string,
    });
    expect(bench.process.killedFor).toBe('its turn is over');
  });

  it('tells the program the model that the task names, and says so of one that takes none', async () => {
    bench.play({});
    await bench.perform({ model: 'big one' });
    expect(bench.spawned[0]?.env).toMatchObject({ ANTHROPIC_MODEL: 'big one' });
    const deaf = agentTable({ deaf: { title: 'Deaf', acp: { program: 'gemini' } } });
    expect(await bench.perform({ agent: 'deaf', model: 'm' }, {}, deaf)).toMatchObject({
      failure: {
        code: 'E_AGENT_MODEL',
        message: expect.stringContaining('gemini cannot be told a model') as string,
      },
    });
  });

  it('tells messages as a whole, plans, calls of tools and changes', async () => {
    bench.play({
      async work(client) {
        for (const piece of ['I ', 'think', ' so']) await update(client, says(piece));
        await update(client, {
          sessionUpdate: 'plan',
          entries: [{ content: 'write', status: 'in_progress', priority: 'high' }],
        });
        await update(client, {
          sessionUpdate: 'tool_call',
          toolCallId: 't',
          title: 'Write a',
          rawInput: { a: 1 },
        });
        await update(client, {
          sessionUpdate: 'tool_call_update',
          toolCallId: 't',
          status: 'completed',
          content: [
            { type: 'content', content: { type: 'text', text: 'ok' } },
            { type: 'diff', path: '/tree/a', oldText: 'x', newText: 'y' },
          ],
        });
        await update(client, says('It is done.'));
        return 'end_turn';
      },
    });
    expect(await bench.perform()).toMatchObject({ kind: 'done', summary: 'It is done.' });
    expect(bench.events.slice(1)).toEqual([
      { kind: 'message', text: 'I think so' },
      { kind: 'plan', entries: [{ text: 'write', status: 'in-progress' }] },
      { kind: 'tool-call', id: 't', title: 'Write a', status: 'running', input: { a: 1 } },
      { kind: 'tool-call', id: 't', title: 'Write a', status: 'completed', output: 'ok' },
      { kind: 'diff', path: '/tree/a', before: 'x', after: 'y' },
      { kind: 'message', text: 'It is done.' },
    ]);
  });

  const modes = (currentModeId: string, ...ids: string[]): SessionModeState => ({
    currentModeId,
    availableModes: ids.map((id) => ({ id, name: id })),
  });
  it.each([
    ['the one that the task names', { mode: 'yolo' }, modes('plan', 'plan', 'yolo'), 'yolo'],
    ['the one that we know of, where the agent has it', {}, modes('plan', 'plan', 'default'), 'default'],
    ['none where it is in that already', {}, modes('default', 'default'), undefined],
    ['none where it has none', {}, undefined, undefined],
  ])('sets a session mode: %s', async (_what, executor, offered, expected) => {
    const heard = bench.play(offered === undefined ? {} : { modes: offered });
    expect(await bench.perform(executor)).toMatchObject({ kind: 'done' });
    expect(heard.mode).toBe(expected);
  });

  it('fails where the agent lacks the mode of the task', async () => {
    bench.play({ modes: modes('plan', 'plan') });
    expect(await bench.perform({ mode: 'yolo' })).toMatchObject({
      failure: {
        code: 'E_AGENT_PROTOCOL',
        message: expect.stringContaining('"yolo" (it has: plan)') as string,
      },
    });
  });

  it('fails where the agent speaks another version', async () => {
    bench.play({ protocolVersion: 7 });
    expect(await bench.perform()).toMatchObject({
      failure: { code: 'E_AGENT_PROTOCOL', message: expect.stringMatching(/version 7/) as string },
    });
  });
});

describe('how the turn of an agent ends', () => {
  it.each(['max_tokens', 'max_turn_requests', 'refusal', 'cancelled'] as const)(
    'with %s: failed',
    async (reason) => {
      bench.play({ work: () => reason });
      expect(await bench.perform()).toMatchObject({
        failure: {
          code: 'E_AGENT_FAILED',
          class: 'logic',
          message: expect.stringContaining(reason) as string,
        },
      });
    },
  );

  it.each([
    ['a limit of its model', 'API Error: 529 overloaded', 'throttled'],
    ['what is its own', 'I cannot', 'logic'],
  ])('with an error, by %s', async (_what, words, failureClass) => {
    bench.play({
      work() {
        throw RequestError.internalError({ details: words });
      },
    });
    expect(await bench.perform()).toMatchObject({ failure: { code: 'E_AGENT_FAILED', class: failureClass } });
  });

  it('with the end of its process in the middle', async () => {
    bench.play({
      work() {
        bench.process.stderr.write('panic\n');
        bench.process.end({ exitCode: 1 });
        return new Promise<never>(() => undefined);
      },
    });
    expect(await bench.perform()).toMatchObject({
      failure: {
        code: 'E_AGENT_FAILED',
        class: 'system',
        outputTail: expect.stringContaining('panic') as string,
      },
    });
  });

  it('where it never answers', async () => {
    const outcome = bench.perform({}, { timeoutMs: 10 * limits.agentStartMs });
    await settle();
    await bench.clock.advance(limits.agentStartMs + 1);
    expect(await outcome).toMatchObject({
      failure: { code: 'E_AGENT_SILENT', message: expect.stringContaining('a greeting') as string },
    });
  });

  it('where it says nothing for too long in its turn', async () => {
    bench.play({ work: () => new Promise<never>(() => undefined) });
    const outcome = bench.perform({}, { timeoutMs: 10 * limits.agentSilenceMs });
    await untilPrompted();
    await bench.clock.advance(limits.agentSilenceMs + 1);
    expect(await outcome).toMatchObject({ failure: { code: 'E_AGENT_SILENT', class: 'system' } });
    expect(bench.process.killedFor).toMatch(/nothing for too long/);
  });

  it('at its limit of time, asked to stop', async () => {
    let stop: (reason: string) => void = () => undefined;
    bench.play({
      work: () => new Promise((resolve) => (stop = resolve)),
      onCancel: () => stop('cancelled'),
    });
    const outcome = bench.perform();
    await untilPrompted();
    await bench.clock.advance(60_000 - limits.agentCancelMs + 1);
    expect(await outcome).toMatchObject({ failure: { code: 'E_AGENT_TIMEOUT', class: 'logic' } });
  });

  it('at its limit of time, where it does not listen: the sandbox ends it', async () => {
    let cancels = 0;
    bench.play({ work: () => new Promise<never>(() => undefined), onCancel: () => (cancels += 1) });
    const outcome = bench.perform();
    await untilPrompted();
    await bench.clock.advance(60_000);
    bench.process.end({ ended: 'timed-out', exitCode: 124 });
    expect(await outcome).toMatchObject({ failure: { code: 'E_AGENT_TIMEOUT' } });
    expect(cancels).toBe(1);
  });

  it('with the attempt that is cancelled', async () => {
    bench.play({ work: () => new Promise<never>(() => undefined) });
    const outcome = bench.perform();
    await untilPrompted();
    bench.cancel.abort(new Error('cancelled'));
    bench.process.end({ ended: 'killed', exitCode: 137 });
    expect(await outcome).toMatchObject({ failure: { code: 'E_CANCELLED' } });
  });
});

/** The streams between us and the played agent take some turns. */
async function untilPrompted(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
