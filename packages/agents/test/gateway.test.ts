import { createServer, request as httpRequest } from 'node:http';
import {
  Gateway,
  Ledger,
  PriceBook,
  type PermitSource,
  type Settlement,
  type Want,
} from '@switchyard/agents';
import { attemptKey, type ProviderName } from '@switchyard/protocol';
import { silentLogger, systemClock, type Clock, type Random } from '@switchyard/runtime';
import { ScriptedModels, type ModelAnswer, type ModelRequest } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';

const key = 'sk-the-real-key';
const attempt = attemptKey.parse({ run: 'demo-abc', taskId: 'a', attempt: 1, fence: 1 });
/** Waits that are not what a test is about pass at once. */
const hurried: Clock = {
  ...systemClock,
  after: (ms, call) => systemClock.after(ms >= 15_000 ? ms : 0, call),
};
const random: Random = { next: () => 0, token: (length) => `t${tokens++}`.padEnd(length, 'x') };
let tokens = 0;
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

function there<T>(value: T | null | undefined): T {
  if (value === undefined || value === null) throw new Error('it is not there');
  return value;
}

interface Scene {
  readonly models: ScriptedModels;
  readonly gateway: Gateway;
  readonly ledger: Ledger;
  readonly wants: Want[];
  readonly settled: Settlement[];
  /** For each request whose answer began: how many were settled before. */
  readonly arrivals: number[];
  readonly base: Record<ProviderName, string> & { readonly token: string };
  readonly end: () => Promise<void>;
}

async function scene(
  answer: (request: ModelRequest, index: number) => ModelAnswer = () => ({}),
  extra: { permits?: PermitSource; clock?: Clock; without?: ProviderName } = {},
): Promise<Scene> {
  const models = await ScriptedModels.start(answer);
  const [wants, settled, arrivals, ledger] = [[] as Want[], [] as Settlement[], [] as number[], new Ledger()];
  const free: PermitSource = {
    acquire: (_attempt, want, signal) => {
      signal.throwIfAborted();
      wants.push(want);
      return Promise.resolve({
        arrived: () => void arrivals.push(settled.length),
        settle: (settlement) => void settled.push(settlement),
      });
    },
  };
  const names = (['anthropic', 'openai', 'gemini'] as const).filter((name) => name !== extra.without);
  const gateway = new Gateway({
    providers: names.map((name) => ({
      name,
      baseUrl: name === 'openai' ? `${models.url}/v1` : models.url,
      key: () => key,
    })),
    prices: new PriceBook({ m: { input: 10, output: 100, cached: 1 } }),
    permits: extra.permits ?? free,
    ledger,
    clock: extra.clock ?? hurried,
    random,
    logger: silentLogger(),
  });
  const model = await gateway.open(attempt, {
    isInside: false,
    logger: silentLogger(),
    signal: new AbortController().signal,
  });
  open.push(models, gateway);
  return {
    models,
    gateway,
    ledger,
    wants,
    settled,
    arrivals,
    base: model.endpoint,
    end: () => model.close(),
  };
}

const forms: readonly {
  readonly name: string;
  readonly provider: ProviderName;
  readonly path: string;
  readonly body: object;
  readonly key: string;
}[] = [
  {
    name: 'Anthropic Messages',
    provider: 'anthropic',
    path: '/v1/messages',
    body: { model: 'm', max_tokens: 50 },
    key: 'x-api-key',
  },
  {
    name: 'Anthropic Messages, streaming',
    provider: 'anthropic',
    path: '/v1/messages',
    body: { model: 'm', stream: true },
    key: 'x-api-key',
  },
  {
    name: 'OpenAI chat',
    provider: 'openai',
    path: '/chat/completions',
    body: { model: 'm' },
    key: 'authorization',
  },
  {
    name: 'OpenAI chat, streaming',
    provider: 'openai',
    path: '/chat/completions',
    body: { model: 'm', stream: true },
    key: 'authorization',
  },
  {
    name: 'OpenAI responses',
    provider: 'openai',
    path: '/responses',
    body: { model: 'm' },
    key: 'authorization',
  },
  {
    name: 'OpenAI responses, streaming',
    provider: 'openai',
    path: '/responses',
    body: { model: 'm', stream: true },
    key: 'authorization',
  },
  {
    name: 'Gemini',
    provider: 'gemini',
    path: '/v1beta/models/m:generateContent',
    body: {},
    key: 'x-goog-api-key',
  },
  {
    name: 'Gemini, streaming',
    provider: 'gemini',
    path: '/v1beta/models/m:streamGenerateContent?alt=sse',
    body: {},
    key: 'x-goog-api-key',
  },
  {
    name: 'Gemini, streaming as one list',
    provider: 'gemini',
    path: '/v1beta/models/m:streamGenerateContent',
    body: {},
    key: 'x-goog-api-key',
  },
];

function ask(
  { base }: Scene,
  { provider, path, body }: { provider: ProviderName; path: string; body: object },
) {
  return fetch(`${base[provider]}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${base.token}` },
    body: JSON.stringify(body),
  });
}

const message = { provider: 'anthropic', path: '/v1/messages', body: { model: 'm' } } as const;

describe('the model gateway', () => {
  it.each(forms)('passes $name on with the key, and counts what the answer says', async (form) => {
    const made = await scene(() => ({ text: 'hi there', tokens: { input: 70, cached: 30, output: 5 } }));
    const answer = await ask(made, form);
    const text = await answer.text();
    expect(answer.status).toBe(200);
    expect(text).toContain('hi there');
    const sent = there(made.models.requests[0]);
    expect(String(sent.headers[form.key])).toContain(key);
    expect(JSON.stringify(sent.headers)).not.toContain(made.base.token);
    expect(made.ledger.of(attempt)).toEqual([
      {
        provider: form.provider,
        model: 'm',
        requests: 1,
        inputTokens: 70,
        cachedTokens: 30,
        outputTokens: 5,
        microUsd: 1230,
      },
    ]);
    expect(made.settled).toEqual([{ kind: 'done', tokens: 75 }]);
    expect(made.arrivals).toEqual([0]);
  });

  it('asks a chat for its tokens, and keeps the answer to that from who did not ask', async () => {
    const made = await scene();
    const chat = {
      provider: 'openai',
      path: '/chat/completions',
      body: { model: 'm', stream: true },
    } as const;
    expect(await (await ask(made, chat)).text()).not.toContain('prompt_tokens');
    const body = { ...chat.body, stream_options: { include_usage: true } };
    expect(await (await ask(made, { ...chat, body })).text()).toContain('prompt_tokens');
    expect(made.ledger.of(attempt)[0]).toMatchObject({ requests: 2, inputTokens: 200, outputTokens: 40 });
  });

  it('passes a stream on as it comes', async () => {
    let more: () => void = () => undefined;
    const made = await scene();
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: ping\ndata: {"type":"ping"}\n\n');
      more = () => response.end('event: message_stop\ndata: {"type":"message_stop"}\n\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const gateway = new Gateway({
      providers: [{ name: 'anthropic', baseUrl: `http://127.0.0.1:${port}`, key: () => undefined }],
      prices: new PriceBook(),
      permits: { acquire: () => Promise.resolve({ arrived: () => undefined, settle: () => undefined }) },
      ledger: made.ledger,
      clock: hurried,
      random,
      logger: silentLogger(),
    });
    open.push({ close: async () => void server.close() }, gateway);
    const signal = new AbortController().signal;
    const { endpoint } = await gateway.open(attempt, { isInside: false, logger: silentLogger(), signal });
    const answer = await ask({ ...made, base: endpoint }, { ...message, body: { model: 'm', stream: true } });
    const reader = there(answer.body).getReader();
    const first = await reader.read();
    expect(new TextDecoder().decode(first.value)).toContain('ping');
    more();
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('message_stop');
  });

  it('holds a request while the provider says 429 or 529, and tells its permits for how long', async () => {
    const answers: ModelAnswer[] = [
      { status: 429, headers: { 'retry-after': '7' } },
      { status: 529 },
      { status: 429, message: 'You exceeded your current quota' },
      { text: 'at last' },
    ];
    const made = await scene((_request, index) => there(answers[index]));
    const answer = await ask(made, message);
    expect([answer.status, (await answer.text()).includes('at last')]).toEqual([200, true]);
    expect(made.settled).toMatchObject([
      { kind: 'throttled', retryAfterMs: 7000 },
      { kind: 'throttled', retryAfterMs: undefined },
      { kind: 'exhausted' },
      { kind: 'done' },
    ]);
    expect(made.ledger.of(attempt)[0]?.requests).toBe(1);
  });

  it('sends a request again that the provider failed at, each time with a permit, and gives up in its words', async () => {
    const made = await scene((_request, index) => (index < 2 ? { status: 500 } : { text: 'mended' }));
    expect(await (await ask(made, message)).text()).toContain('mended');
    expect(made.wants).toHaveLength(3);
    const broken = await scene(() => ({ status: 503, message: 'down' }));
    const answer = await ask(broken, message);
    expect([answer.status, (await answer.text()).includes('down'), broken.wants.length]).toEqual([
      503,
      true,
      6,
    ]);
  });

  it('sends a request again whose answer was cut before its first byte', async () => {
    const made = await scene((_request, index) => (index === 0 ? { cut: 'before' } : { text: 'whole' }));
    expect(await (await ask(made, { ...message, body: { model: 'm', stream: true } })).text()).toContain(
      'whole',
    );
    expect(made.ledger.of(attempt)[0]).toMatchObject({ requests: 2, inputTokens: 100 });
  });

  it('cuts the agent off where a stream is cut in its middle, and counts what had come', async () => {
    const made = await scene(() => ({
      cut: 'within',
      text: 'x'.repeat(400),
      tokens: { input: 900, output: 9 },
    }));
    const answer = await ask(made, { ...message, body: { model: 'm', stream: true } });
    await expect(answer.text()).rejects.toThrow();
    const [used] = made.ledger.of(attempt);
    expect(used).toMatchObject({ requests: 1, inputTokens: 900 });
    // Its first event calls one token written; the provider bills what it wrote.
    expect(used?.outputTokens).toBeGreaterThan(50);
    expect(made.settled).toMatchObject([{ kind: 'done' }]);
  });

  it('shows life while a request is held, and then gives the answer', async () => {
    const held: (() => void)[] = [];
    const permits: PermitSource = {
      acquire: () =>
        new Promise((resolve) =>
          held.push(() => resolve({ arrived: () => undefined, settle: () => undefined })),
        ),
    };
    const clock: Clock = { ...systemClock, after: (_ms, call) => systemClock.after(1, call) };
    const made = await scene(() => ({ text: 'late' }), { permits, clock });
    const stream = await ask(made, { ...message, body: { model: 'm', stream: true } });
    const plain = await ask(made, message);
    expect([stream.headers.get('content-type'), plain.status]).toEqual(['text/event-stream', 200]);
    for (const go of held) go();
    expect(await stream.text()).toMatch(/^(: held by the gateway\n\n)+event: message_start[^]*late/);
    expect(JSON.stringify(await plain.json())).toContain('late');
  });

  it('passes errors on that are the agent’s to mend, and never the provider’s words on its key', async () => {
    const made = await scene((_request, index) =>
      index === 0 ? { status: 400, message: 'bad tool' } : { status: 401, message: `no such key ${key}` },
    );
    const wrong = await ask(made, message);
    expect([wrong.status, (await wrong.text()).includes('bad tool')]).toEqual([400, true]);
    const refused = await ask(made, message);
    expect(refused.status).toBe(401);
    expect(await refused.text()).not.toContain(key);
  });

  it('knows an attempt by its token alone, until the attempt is over', async () => {
    const made = await scene();
    const stranger = { ...made, base: { ...made.base, token: 'sy-guess' } };
    expect((await ask(stranger, message)).status).toBe(401);
    await made.end();
    expect((await ask(made, message)).status).toBe(401);
    expect(made.models.requests).toHaveLength(0);
  });

  it('passes on only what it can count', async () => {
    const made = await scene(undefined, { without: 'gemini' });
    const status = async (provider: ProviderName, path: string, body: object = {}) =>
      (await ask(made, { provider, path, body })).status;
    expect(await status('anthropic', '/v1/messages/batches')).toBe(404);
    expect(await status('openai', '/files')).toBe(404);
    expect(await status('anthropic', '/../openai/v1/../../v1/organizations')).toBe(404);
    expect(await status('gemini', '/v1beta/models/m:generateContent')).toBe(403);
    expect(await status('anthropic', '/v1/messages/count_tokens')).toBe(200);
    expect(made.models.requests.map(({ path }) => path)).toEqual(['/v1/messages/count_tokens']);
  });

  it('does not send for an agent that has gone', async () => {
    let acquired: AbortSignal | undefined;
    const permits: PermitSource = {
      acquire: (_attempt, _want, signal) => {
        acquired = signal;
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('gone')));
        });
      },
    };
    const made = await scene(undefined, { permits });
    const request = httpRequest(`${made.base.anthropic}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': made.base.token },
    });
    request.on('error', () => undefined);
    request.end('{"model":"m"}');
    while (acquired === undefined) await new Promise((resolve) => setImmediate(resolve));
    request.destroy();
    while (!acquired.aborted) await new Promise((resolve) => setImmediate(resolve));
    expect(made.models.requests).toHaveLength(0);
  });
});
