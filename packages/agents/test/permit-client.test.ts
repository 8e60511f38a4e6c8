import { Ledger, PermitClient, type Permit } from '@switchyard/agents';
import { attemptKey, reviewId, type PayloadInput } from '@switchyard/protocol';
import { seededRandom, settle, VirtualClock } from '@switchyard/testkit';
import { beforeEach, describe, expect, it } from 'vitest';

const attempt = attemptKey.parse({ run: 'demo-abc', taskId: 'a', attempt: 1, fence: 1 });
const want = { provider: 'anthropic', model: 'm', tokens: 5, microUsd: 7 } as const;
/** The orchestrator's clock is that far ahead. */
const ahead = 5_000_000;

let clock: VirtualClock;
let client: PermitClient;
let ledger: Ledger;
let asked: PayloadInput<'permit-request'>[];
let told: PayloadInput<'usage-report'>[];
let isUp: boolean;

beforeEach(() => {
  clock = new VirtualClock();
  ledger = new Ledger();
  client = new PermitClient({ clock, random: seededRandom(3), ledger });
  [asked, told, isUp] = [[], [], true];
  client.attach({
    ask: (payload) => isUp && asked.push(payload) > 0,
    report: (payload) => isUp && told.push(payload) > 0,
  });
});

/** Asks for one permit; `got` fills when it comes. */
function ask(signal = new AbortController().signal): { got: Permit[]; failed: unknown[] } {
  const answer = { got: [] as Permit[], failed: [] as unknown[] };
  client.acquire(attempt, want, signal).then(
    (permit) => answer.got.push(permit),
    (error: unknown) => answer.failed.push(error),
  );
  return answer;
}

const ids = (): string[] => asked.flatMap(({ wants }) => wants.map(({ id }) => id));

/** The orchestrator answers what was asked last. `wayMs`: how long question and answer are on their way. */
async function grant(slot: { from: number; forMs: number }, wayMs = 10): Promise<void> {
  const last = asked.at(-1);
  const now = clock.monotonic() + ahead;
  const permits = (last?.wants ?? []).map(({ id }) => ({
    id,
    notBefore: now + slot.from,
    expires: now + slot.from + slot.forMs,
  }));
  const echo = last && { sentAt: last.sentAt, receivedAt: last.sentAt + ahead + wayMs };
  await clock.advance(wayMs);
  client.granted({ now, ...(echo && { echo }), permits, refused: [] });
  await settle();
}

describe('the worker’s end of the quota', () => {
  it('asks for everything of one turn at once, and sends when the slot begins, whatever the clocks show', async () => {
    const [first, second] = [ask(), ask()];
    await settle();
    expect(asked).toMatchObject([{ wants: [{ tries: 0, microUsd: 7 }, { tries: 0 }] }]);
    await grant({ from: 500, forMs: 2_000 });
    await clock.advance(480);
    expect([first.got, second.got]).toEqual([[], []]);
    await clock.advance(20);
    expect([first.got.length, second.got.length]).toEqual([1, 1]);
    first.got[0]?.arrived();
    await settle();
    expect(told).toMatchObject([{ settled: [], arrived: [ids()[0]] }]);
  });

  it('gives a slot back that came too late, and asks for a longer one', async () => {
    const late = ask();
    await settle();
    await grant({ from: 0, forMs: 100 }, 150);
    expect(late.got).toEqual([]);
    expect(told).toMatchObject([{ settled: [{ id: ids()[0], kind: 'unused' }] }]);
    expect(asked.at(-1)?.wants).toMatchObject([{ id: ids()[0], tries: 1 }]);
    await grant({ from: 0, forMs: 2_000 });
    expect(late.got).toHaveLength(1);
  });

  it('does not trust a message that was long on its way: what it dates is only the least', async () => {
    const slow = ask();
    await settle();
    // The answer left in time, and came two seconds later.
    await grant({ from: 0, forMs: 1_000 }, 2_000);
    expect(slow.got).toEqual([]);
  });

  it('tells what was used before it asks for more', async () => {
    const first = ask();
    await settle();
    await grant({ from: 0, forMs: 2_000 });
    const used = {
      provider: 'anthropic',
      model: 'm',
      inputTokens: 3,
      cachedTokens: 0,
      outputTokens: 1,
      microUsd: 9,
    } as const;
    ledger.add(attempt, used);
    first.got[0]?.settle({ kind: 'done', tokens: 4 });
    first.got[0]?.settle({ kind: 'done', tokens: 4 });
    ask();
    isUp = false;
    await settle();
    expect([told.length, asked.length]).toEqual([0, 1]);
    isUp = true;
    client.connected();
    await settle();
    expect(told).toMatchObject([
      {
        attempts: [{ ...attempt, usage: [{ ...used, requests: 1 }] }],
        settled: [{ kind: 'done', tokens: 4 }],
      },
    ]);
    expect(asked).toHaveLength(2);
  });

  it('asks again on a new connection, and says again what may have been lost', async () => {
    const [done, waits] = [ask(), ask()];
    await settle();
    const [first = ''] = ids();
    const now = clock.monotonic() + ahead;
    const echo = { sentAt: clock.monotonic(), receivedAt: now };
    client.granted({
      now,
      echo,
      permits: [{ id: first, notBefore: now, expires: now + 1_000 }],
      refused: [],
    });
    await settle();
    done.got[0]?.settle({ kind: 'done', tokens: 1 });
    await settle();
    client.connected();
    await settle();
    expect(told.map(({ settled }) => settled.map(({ id }) => id))).toEqual([[first], [first]]);
    expect(asked.at(-1)?.wants.map(({ id }) => id)).toEqual([ids()[1]]);
    expect(waits.got).toEqual([]);
  });

  it('tells on a new connection what was used once more, until the spender is forgotten', async () => {
    const review = { ...attempt, review: { reviewId: reviewId.parse('r-1'), sitting: 'first-sitting' } };
    const tokens = { inputTokens: 3, cachedTokens: 0, outputTokens: 1, microUsd: 9 };
    const asks = client.acquire(review, want, new AbortController().signal);
    await settle();
    await grant({ from: 0, forMs: 2_000 });
    ledger.add(review, { provider: 'anthropic', model: 'm', ...tokens });
    (await asks).settle({ kind: 'done', tokens: 4 });
    await settle();
    client.connected();
    await settle();
    const used = { attempts: [{ ...review, usage: [{ ...tokens, requests: 1 }] }] };
    expect(told).toMatchObject([used, used]);
    // It is counted apart from its attempt.
    expect(ledger.of(attempt)).toEqual([]);
    client.forget(review);
    client.connected();
    await settle();
    expect(told.at(-1)?.attempts).toEqual([]);
  });

  it('withdraws a request whose agent has gone, and gives its slot back if one comes', async () => {
    const gone = new AbortController();
    const answer = ask(gone.signal);
    await settle();
    gone.abort(new Error('gone'));
    await settle();
    expect(answer.failed).toMatchObject([{ message: 'gone' }]);
    expect(told).toMatchObject([{ withdrawn: ids() }]);
    await grant({ from: 0, forMs: 1_000 });
    expect(told.at(-1)).toMatchObject({ settled: [{ id: ids()[0], kind: 'unused' }] });
  });

  it('fails a request that is refused, and knows how long requests of an attempt have waited', async () => {
    const answer = ask();
    await settle();
    await clock.advance(40_000);
    ask();
    expect(client.heldMs(attempt)).toBe(40_000);
    const [id = ''] = ids();
    client.granted({ now: 0, permits: [], refused: [{ id, reason: 'not current' }] });
    await clock.advance(2_000);
    expect(answer.failed).toMatchObject([{ message: expect.stringContaining('not current') as string }]);
    expect(client.heldMs(attempt)).toBe(42_000);
  });
});
