import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import {
  Gateway,
  Ledger,
  PermitClient,
  PriceBook,
  type PermitSource,
  type Settlement,
} from '@switchyard/agents';
import { attemptKey, permitRequest, usageReport } from '@switchyard/protocol';
import { silentLogger, systemClock, type Clock } from '@switchyard/runtime';
import { seededRandom } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';

const key = 'sk-the-real-key';
const attempt = attemptKey.parse({ run: 'demo-abc', taskId: 'a', attempt: 1, fence: 1 });
const hurried: Clock = {
  ...systemClock,
  after: (ms, call) => systemClock.after(ms >= 15_000 ? ms : 0, call),
};
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

type Answer = (response: ServerResponse, index: number) => void;

async function serve(answer: Answer): Promise<string> {
  let index = 0;
  const server = createServer((request, response) => {
    request.resume().once('end', () => answer(response, index++));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => (server.closeAllConnections(), server.close()) });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A gateway before a provider that answers so. */
async function scene(answer: Answer, permits?: PermitSource, ledger = new Ledger()) {
  const settled: Settlement[] = [];
  const free: PermitSource = {
    acquire: () =>
      Promise.resolve({ arrived: () => undefined, settle: (settlement) => void settled.push(settlement) }),
  };
  const gateway = new Gateway({
    providers: [{ name: 'openai', baseUrl: await serve(answer), key: () => key }],
    prices: new PriceBook({ m: { input: 10, output: 100, cached: 1 } }),
    permits: permits ?? free,
    ledger,
    clock: hurried,
    random: seededRandom(4),
    logger: silentLogger(),
  });
  open.push(gateway);
  const { signal } = new AbortController();
  const { endpoint } = await gateway.open(attempt, { isInside: false, logger: silentLogger(), signal });
  const ask = (body: object = {}) =>
    fetch(`${endpoint.openai}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${endpoint.token}` },
      body: JSON.stringify({ model: 'm', messages: ['x'.repeat(400)], ...body }),
    });
  return { ask, settled, ledger };
}

const chat = (usage: unknown): string =>
  JSON.stringify({ choices: [{ message: { content: 'y'.repeat(400) } }], usage });
const json = { 'content-type': 'application/json' };

describe('a provider that answers oddly', () => {
  it.each([
    ['nothing', {}],
    ['something else', { total_tokens: 3 }],
    ['less than nothing', { prompt_tokens: -100, completion_tokens: -100 }],
    ['no numbers', { prompt_tokens: '90', completion_tokens: null }],
  ])('is not free where its usage says %s', async (_what, usage) => {
    const { ask, ledger } = await scene((response) => response.writeHead(200, json).end(chat(usage)));
    await (await ask()).text();
    const [used] = ledger.of(attempt);
    expect(used?.inputTokens).toBeGreaterThanOrEqual(100);
    expect(used?.outputTokens).toBeGreaterThanOrEqual(100);
    expect(used?.microUsd).toBeGreaterThan(10_000);
  });

  it('is read where it compresses what nobody asked it to, and its words on credit too', async () => {
    const zipped = { ...json, 'content-encoding': 'gzip' };
    const usage = { prompt_tokens: 70, completion_tokens: 5 };
    const { ask, ledger, settled } = await scene((response, index) =>
      index === 0
        ? response.writeHead(400, zipped).end(gzipSync(`{"error":{"code":"insufficient_quota ${key}"}}`))
        : response.writeHead(200, zipped).end(gzipSync(chat(usage))),
    );
    const answer = await ask();
    expect(answer.headers.get('content-encoding')).toBeNull();
    expect(await answer.json()).toMatchObject({ usage });
    expect(settled).toMatchObject([{ kind: 'exhausted' }, { kind: 'done', tokens: 75 }]);
    expect(ledger.of(attempt)).toMatchObject([{ inputTokens: 70, outputTokens: 5 }]);
  });

  it('cuts its agent off where what it compressed is broken', async () => {
    const half = gzipSync(chat({})).subarray(0, 40);
    const { ask, settled } = await scene((response) =>
      response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(half),
    );
    await expect(ask().then((answer) => answer.text())).rejects.toThrow();
    expect(settled).toMatchObject([{ kind: 'done' }]);
  });

  it('sends nobody to another address', async () => {
    const strangers: number[] = [];
    const elsewhere = await serve((response, index) => (strangers.push(index), response.end('{}')));
    const { ask, settled } = await scene((response) =>
      response.writeHead(307, { location: `${elsewhere}/v1/chat/completions` }).end(),
    );
    const answer = await ask();
    expect([answer.status, answer.headers.get('location')]).toEqual([502, null]);
    expect(await answer.text()).toContain('baseUrl');
    expect([strangers, settled]).toEqual([[], [{ kind: 'done', tokens: 0 }]]);
  });

  it('holds nobody up with an error that has no end', async () => {
    const { ask } = await scene((response) => {
      response.writeHead(400, json);
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    const answer = await ask();
    expect([answer.status, (await answer.text()).length]).toEqual([400, 1024 * 1024]);
  });

  it.each([
    ['1e300', undefined],
    ['99999999', undefined],
    ['Infinity', undefined],
    ['soon', undefined],
    ['', undefined],
    ['-5', 0],
    ['2', 2_000],
  ])('is waited for as long as makes sense where it says "%s"', async (retryAfter, retryAfterMs) => {
    const { ask, settled } = await scene((response, index) =>
      index === 0
        ? response.writeHead(429, { ...json, 'retry-after': retryAfter }).end('{}')
        : response.writeHead(200, json).end(chat({})),
    );
    await (await ask()).text();
    expect(settled[0]).toMatchObject({ kind: 'throttled', retryAfterMs });
  });
});

describe('numbers without measure', () => {
  it('of an agent or a provider keep nobody else from the orchestrator', async () => {
    const ledger = new Ledger();
    const permits = new PermitClient({ clock: hurried, random: seededRandom(5), ledger });
    const usage = { prompt_tokens: 1e300, completion_tokens: 1e300 };
    const { ask } = await scene(
      (response) => response.writeHead(200, json).end(chat(usage)),
      permits,
      ledger,
    );
    let now = 0;
    permits.attach({
      // As a link does: what is none of the protocol's messages does not leave.
      ask: (payload) => {
        const { sentAt, wants } = permitRequest.parse(payload);
        now += 1;
        const slots = wants.map(({ id }) => ({ id, notBefore: 0, expires: now + 60_000 }));
        permits.granted({ now, echo: { sentAt, receivedAt: sentAt }, permits: slots, refused: [] });
        return true;
      },
      report: (payload) => usageReport.parse(payload).attempts.length >= 0,
    });
    permits.connected();
    const answers = [await ask({ max_tokens: 1e300 })];
    for (let each = 0; each < 120; each += 1) answers.push(await ask({ model: `m${each}` }));
    for (const answer of answers) expect(answer.status, await answer.text()).toBe(200);
    const rows = ledger.of(attempt);
    expect(rows.length).toBeLessThanOrEqual(100);
    expect(rows.reduce((sum, { requests }) => sum + requests, 0)).toBe(121);
  });
});
