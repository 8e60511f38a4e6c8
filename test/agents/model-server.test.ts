import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openModelServer, type ModelServer } from './model-server/model-server.ts';
import type { Script } from './model-server/script.ts';

const script: Script = {
  default: [{ write: { path: 'a.txt', content: 'hello\n' } }, { shell: 'ls' }, { text: 'all done' }],
  'auth-models': [{ text: 'of the models' }],
  auth: [{ text: 'of auth' }],
  busy: [
    {
      text: 'at last',
      status: 429,
      retryAfterSeconds: 7,
      times: 2,
      usage: { input: 5, output: 6, cached: 2 },
    },
  ],
  cut: [{ text: 'a long enough text to be cut', cutAfter: 2, chunk: 4 }],
  malformed: [{ shell: 'ls', malformed: true }, { text: 'done' }],
};
let server: ModelServer;
beforeEach(async () => {
  server = await openModelServer({ script });
});
afterEach(() => server.close());

const post = (path: string, body: object) =>
  fetch(`${server.url}${path}`, { method: 'POST', body: JSON.stringify(body) });

const shellSchema = {
  properties: { command: { type: 'string' }, timeout: { type: 'number' } },
  required: ['command', 'timeout'],
};
const writeSchema = { properties: { file_path: {}, content: {} }, required: ['file_path', 'content'] };
const anthropicTools = [
  { name: 'Write', input_schema: writeSchema },
  { name: 'Bash', input_schema: shellSchema },
];

describe('the scripted model', () => {
  it('walks its steps by the history that a request holds, in the Anthropic form', async () => {
    const first = { system: 'Working directory: /tree/x\n', tools: anthropicTools, messages: [] };
    expect(await (await post('/v1/messages', first)).json()).toMatchObject({
      stop_reason: 'tool_use',
      content: [{ name: 'Write', input: { file_path: '/tree/x/a.txt', content: 'hello\n' } }],
    });
    const called = { role: 'assistant', content: [{ type: 'tool_use' }] };
    const second = { ...first, stream: true, messages: [called] };
    const stream = await (await post('/v1/messages', second)).text();
    expect(stream).toContain('"name":"Bash"');
    expect(joined(stream, /"partial_json":("(?:[^"\\]|\\.)*")/g)).toBe('{"command":"ls","timeout":0}');
    const last = { ...first, messages: [called, called] };
    expect(await (await post('/v1/messages', last)).json()).toMatchObject({
      stop_reason: 'end_turn',
      content: [{ type: 'text', text: 'all done' }],
    });
    expect(server.requests.map(({ step }) => step)).toEqual([0, 1, 2]);
  });

  it('speaks OpenAI chat completions, with a patch where there is no tool that writes', async () => {
    const tools = [
      { function: { name: 'shell', parameters: { properties: { command: { type: 'array' } } } } },
    ];
    const answer = await (await post('/v1/chat/completions', { tools, messages: [] })).json();
    expect(answer).toMatchObject({
      choices: [{ finish_reason: 'tool_calls', message: { tool_calls: [{ function: { name: 'shell' } }] } }],
    });
    const said = [{ role: 'assistant', content: 'x', tool_calls: [{}, {}] }];
    const stream = await (await post('/v1/chat/completions', { tools, messages: said, stream: true })).text();
    expect(joined(stream, /"delta":\{"content":("(?:[^"\\]|\\.)*")/g)).toBe('all done');
    expect(stream.trimEnd()).toMatch(/data: \[DONE\]$/);
  });

  it('speaks OpenAI responses, and freeform patches', async () => {
    const tools = [{ type: 'custom', name: 'apply_patch' }];
    const body = { tools, input: [{ role: 'user', content: [{ text: '<cwd>/tree</cwd>' }] }] };
    expect(await (await post('/v1/responses', body)).json()).toMatchObject({
      output: [
        {
          type: 'custom_tool_call',
          input: expect.stringContaining('*** Add File: /tree/a.txt\n+hello') as string,
        },
      ],
    });
    const stream = await (await post('/v1/responses', { ...body, stream: true })).text();
    expect(stream).toContain('event: response.completed');
  });

  it('speaks Gemini', async () => {
    const tools = [{ functionDeclarations: [{ name: 'write_file', parameters: writeSchema }] }];
    const path = '/v1beta/models/scripted:generateContent';
    expect(await (await post(path, { tools, contents: [] })).json()).toMatchObject({
      candidates: [
        { content: { parts: [{ functionCall: { name: 'write_file', args: { content: 'hello\n' } } }] } },
      ],
      usageMetadata: { promptTokenCount: 100 },
    });
  });

  it('picks the scenario by the path, else by the task that the prompt names', async () => {
    const say = async (path: string, prompt: string): Promise<unknown> =>
      (await post(path, { tools: anthropicTools, messages: [{ role: 'user', content: prompt }] })).json();
    expect(await say('/s/auth/v1/messages', '')).toMatchObject({ content: [{ text: 'of auth' }] });
    expect(await say('/v1/messages', 'Task: auth-models\n')).toMatchObject({
      content: [{ text: 'of the models' }],
    });
    expect(await say('/v1/messages', 'Task: auth\n')).toMatchObject({ content: [{ text: 'of auth' }] });
    expect(await say('/v1/messages', 'Task: authority')).toMatchObject({ content: [{ name: 'Write' }] });
  });

  it('answers side requests without taking a step, and knows its models', async () => {
    expect(await (await post('/v1/messages', { messages: [] })).json()).toMatchObject({
      content: [{ text: '{"title":"scripted"}' }],
    });
    expect(server.requests[0]?.step).toBeUndefined();
    expect(await (await fetch(`${server.url}/v1/models`)).json()).toMatchObject({
      data: [{ id: 'scripted' }],
    });
    expect((await fetch(`${server.url}/nothing`)).status).toBe(404);
  });
});

describe('its faults', () => {
  const body = { tools: anthropicTools, messages: [], stream: true };

  it('are answered as often as the step says, with retry-after; then it goes well, with the usage of the step', async () => {
    const busy = await post('/s/busy/v1/messages', body);
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([429, '7']);
    expect((await post('/s/busy/v1/messages', body)).status).toBe(429);
    const good = await post('/s/busy/v1/messages', { ...body, stream: false });
    expect(await good.json()).toMatchObject({
      usage: { input_tokens: 3, cache_read_input_tokens: 2, output_tokens: 6 },
    });
    expect(server.requests.map(({ status }) => status)).toEqual([429, 429, 200]);
  });

  it('cut a stream, and come as a call that is no JSON', async () => {
    await expect(post('/s/cut/v1/messages', body).then((answer) => answer.text())).rejects.toThrow();
    expect(await (await post('/s/cut/v1/messages', body)).text()).toContain('message_stop');
    const stream = await (await post('/s/malformed/v1/messages', body)).text();
    expect(() => JSON.parse(joined(stream, /"partial_json":("(?:[^"\\]|\\.)*")/g)) as unknown).toThrow();
  });
});

it('listens on a unix socket too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-model-'));
  const socketPath = join(folder, 'model.sock');
  const onSocket = await openModelServer({ script, socket: socketPath });
  try {
    const answer = await new Promise<string>((resolve, reject) => {
      request({ socketPath, path: '/v1/models' }, (response) => resolve(text(response)))
        .on('error', reject)
        .end();
    });
    expect(answer).toContain('scripted');
  } finally {
    await onSocket.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The JSON strings that a pattern finds in a stream, as one text. */
function joined(stream: string, pattern: RegExp): string {
  return [...stream.matchAll(pattern)].map(([, piece = '""']) => JSON.parse(piece) as string).join('');
}
