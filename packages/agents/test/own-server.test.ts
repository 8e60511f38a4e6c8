import { PassThrough, Duplex } from 'node:stream';
import { askTool, AttemptEscalated, serveOwnTools, type OwnTool, type Question } from '@switchyard/agents';
import { describe, expect, it } from 'vitest';

/** What a program hears that says these lines and leaves. */
async function talk(tools: readonly OwnTool[], ...lines: readonly (object | string)[]): Promise<unknown[]> {
  const up = new PassThrough();
  const down = new PassThrough();
  const heard: unknown[] = [];
  down.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split('\n')) heard.push(JSON.parse(line));
  });
  const ended = serveOwnTools(Duplex.from({ readable: up, writable: down }), tools);
  for (const line of lines)
    up.write(`${typeof line === 'string' ? line : JSON.stringify({ jsonrpc: '2.0', ...line })}\n`);
  await new Promise((resolve) => setImmediate(resolve));
  while (heard.length < lines.filter((line) => typeof line === 'object' && 'id' in line).length)
    await new Promise((resolve) => setImmediate(resolve));
  up.end();
  await ended;
  return heard;
}

const call = (name: string, input: object) => ({
  id: 3,
  method: 'tools/call',
  params: { name, arguments: input },
});

describe('what agents are offered under our own name', () => {
  const asked: Question[] = [];
  const escalated: Question[] = [];
  const tool = askTool(
    (question) => {
      asked.push(question);
      return question.reason === 'silence?'
        ? Promise.reject(new AttemptEscalated(question))
        : Promise.resolve('the small one');
    },
    (question) => escalated.push(question),
  );

  it('is greeted, listed and called as any MCP server', async () => {
    const heard = await talk(
      [tool],
      {
        id: 1,
        method: 'initialize',
        params: {
          protocolVersion: '2025-03-26',
          capabilities: {},
          clientInfo: { name: 'an-agent', version: '1' },
        },
      },
      { method: 'notifications/initialized' },
      'no JSON at all',
      { id: 2, method: 'tools/list' },
      call('ask_orchestrator', { question: 'which database?', attempted_solutions: ['guessing'] }),
    );
    expect(heard).toMatchObject([
      { id: 1, result: { protocolVersion: '2025-03-26', capabilities: { tools: {} } } },
      { id: 2, result: { tools: [{ name: 'ask_orchestrator', inputSchema: { type: 'object' } }] } },
      { id: 3, result: { content: [{ type: 'text', text: 'The answer: the small one' }] } },
    ]);
    expect(asked).toEqual([{ reason: 'which database?', attemptedSolutions: ['guessing'] }]);
  });

  it('answers a version of the protocol that it does not know by one that it speaks', async () => {
    const params = {
      protocolVersion: '1999-01-01',
      capabilities: {},
      clientInfo: { name: 'a', version: '1' },
    };
    const [heard] = await talk([tool], { id: 1, method: 'initialize', params });
    expect(heard).toMatchObject({
      result: { protocolVersion: expect.stringMatching(/^20\d\d-\d\d-\d\d$/) as string },
    });
  });

  it('says what is wrong with a call, and what it does not know', async () => {
    expect(await talk([tool], call('ask_orchestrator', { question: 5 }))).toMatchObject([
      { result: { isError: true } },
    ]);
    expect(await talk([tool], call('other', {}))).toMatchObject([
      { error: { message: 'there is no tool other' } },
    ]);
    expect(await talk([tool], { id: 9, method: 'resources/list' })).toMatchObject([
      { id: 9, error: { code: -32_601 } },
    ]);
  });

  it('ends the turn of an agent whose question nobody answers in time', async () => {
    const [heard] = await talk([tool], call('ask_orchestrator', { question: 'silence?' }));
    expect(heard).toMatchObject({
      result: { content: [{ text: expect.stringContaining('End your turn') as string }] },
    });
    expect(escalated).toEqual([{ reason: 'silence?', attemptedSolutions: [] }]);
  });
});
