import { Quota, type QuotaTurn, type QuotaWant } from '@switchyard/scheduler';
import { seededRandom } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

let ids = 0;
function want(extra: Partial<QuotaWant> = {}): QuotaWant {
  ids += 1;
  const attempt = extra.attempt ?? 'r a 1';
  return {
    id: `want-${ids}`,
    attempt,
    run: 'r',
    provider: 'p',
    tokens: 10,
    microUsd: 0,
    purses: [],
    tries: 0,
    ...extra,
  };
}

const granted = (turn: QuotaTurn): string[] => turn.grants.map(({ want: { id } }) => id);

/** The most requests that any window of a minute has. */
function fullest(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  let most = 0;
  for (let first = 0, last = 0; last < sorted.length; last += 1) {
    while ((sorted[last] ?? 0) - (sorted[first] ?? 0) >= 60_000) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

interface Fleet {
  readonly seed: number;
  readonly agents: number;
  readonly rpm: number;
  readonly minutes: number;
  /** The most seconds on the way. */
  readonly onItsWay: number;
}

/**
 * Agents that always have a request waiting, each sent at one end of its slot and nothing or long on its way; of some it is
 * told that they arrived, some give their slot back. Says when requests reached the server.
 */
function arrivals({ seed, agents, rpm, minutes, onItsWay }: Fleet): number[] {
  const random = seededRandom(seed);
  const quota = new Quota({ p: { rpm } });
  const times: number[] = [];
  const ends: { at: number; id: string; agent: number; kind: 'arrived' | 'done' | 'unused' }[] = [];
  const ask = (agent: number): void => quota.ask(want({ attempt: `r ${agent} 1` }));
  for (let agent = 0; agent < agents; agent += 1) ask(agent);
  for (let at = 1_000; at < minutes * 60_000;) {
    const turn = quota.turn(at);
    for (const { want: each, notBefore, expires } of turn.grants) {
      const sent = Math.max(at, random.next() < 0.5 ? notBefore : expires);
      const isUsed = random.next() > 0.1;
      const there = sent + (random.next() < 0.5 ? 0 : onItsWay * 1_000);
      if (isUsed) times.push(there);
      const known = { id: each.id, agent: Number(each.attempt.split(' ')[1]) };
      const takesMs = random.next() * (random.next() < 0.5 ? 100 : 40_000);
      if (isUsed && random.next() < 0.5)
        ends.push({ ...known, at: there + Math.min(takesMs, 50), kind: 'arrived' });
      ends.push({ ...known, at: there + takesMs, kind: isUsed ? 'done' : 'unused' });
    }
    ends.sort((a, b) => a.at - b.at);
    const next = ends.shift();
    if (next === undefined || (turn.nextAt !== undefined && turn.nextAt < next.at)) {
      if (next !== undefined) ends.unshift(next);
      at = Math.max(at + 1, turn.nextAt ?? at + 1);
      continue;
    }
    at = Math.max(at, next.at);
    if (next.kind === 'arrived') {
      quota.arrived(next.id, at);
      continue;
    }
    quota.settle(next.id, { kind: next.kind, tokens: 10 }, at);
    ask(next.agent);
  }
  return times;
}

describe('the quota of requests', () => {
  it('is never exceeded in any window of a minute at the server, wherever in its slot each is sent', () => {
    const fleets = fc.record({
      seed: fc.integer({ min: 1, max: 1_000_000 }),
      agents: fc.integer({ min: 1, max: 40 }),
      rpm: fc.integer({ min: 1, max: 80 }),
      minutes: fc.constant(4),
      onItsWay: fc.constantFrom(0, 3, 15),
    });
    fc.assert(
      fc.property(fleets, (fleet) => {
        expect(fullest(arrivals(fleet))).toBeLessThanOrEqual(fleet.rpm);
      }),
      { numRuns: 60 },
    );
  });

  it('is used to nine tenths at least by 24 agents', () => {
    const times = arrivals({ seed: 7, agents: 24, rpm: 60, minutes: 10, onItsWay: 3 });
    expect(times.length).toBeGreaterThan(0.9 * 60 * 10);
    expect(fullest(times)).toBeLessThanOrEqual(60);
  });

  it('of a run holds beside that of the provider', () => {
    const quota = new Quota({ p: { rpm: 3 } });
    quota.setRun('r', { rpm: 1 });
    const [first, second, other] = [
      want(),
      want({ attempt: 'r b 1' }),
      want({ run: 'other', attempt: 'o a 1' }),
    ];
    for (const each of [first, second, other]) quota.ask(each);
    expect(granted(quota.turn(0))).toEqual([first.id]);
    quota.withdraw(second.id);
    expect(granted(quota.turn(0))).toEqual([other.id]);
  });

  it('gives a slot back that was not used, and asks again for one whose word was lost', () => {
    const quota = new Quota({ p: { rpm: 1 } });
    const [first, second] = [want(), want()];
    quota.ask(first);
    expect(granted(quota.turn(0))).toEqual([first.id]);
    quota.ask(first);
    expect(granted(quota.turn(0))).toEqual([first.id]);
    quota.settle(first.id, { kind: 'unused', tokens: 0 }, 0);
    quota.ask(second);
    expect(granted(quota.turn(0))).toEqual([second.id]);
  });

  it('of tokens waits for the tokens of the last minute, and lets one through that is larger than all of it', () => {
    const quota = new Quota({ p: { tokensPerMinute: 100 } });
    const [first, second, huge] = [want({ tokens: 60 }), want({ tokens: 60 }), want({ tokens: 1_000 })];
    quota.ask(first);
    quota.ask(second);
    expect(granted(quota.turn(0))).toEqual([first.id]);
    quota.settle(first.id, { kind: 'done', tokens: 30 }, 10);
    expect(granted(quota.turn(10))).toEqual([second.id]);
    quota.ask(huge);
    const { nextAt = 0 } = quota.turn(20);
    expect(nextAt).toBeGreaterThan(60_000);
    expect(granted(quota.turn(nextAt))).toEqual([huge.id]);
  });

  it('that somebody else counted before is taken for used up', () => {
    const quota = new Quota({ p: { rpm: 5 }, free: { concurrent: 1 } });
    quota.begin(1_000);
    const [limited, free] = [want(), want({ provider: 'free', run: 'other' })];
    quota.ask(limited);
    quota.ask(free);
    const { grants, nextAt = 0 } = quota.turn(1_000);
    expect(grants.map((grant) => grant.want.id)).toEqual([free.id]);
    expect(nextAt).toBeGreaterThan(60_000);
    const [first] = quota.turn(nextAt).grants;
    expect(first?.notBefore).toBeGreaterThan(61_000);
  });

  it('of requests at once holds until one has ended', () => {
    const quota = new Quota({ p: { concurrent: 2 } });
    const wants = [want(), want(), want()];
    for (const each of wants) quota.ask(each);
    expect(quota.turn(0).grants).toHaveLength(2);
    quota.settle(wants[0]?.id ?? '', { kind: 'done', tokens: 1 }, 5);
    expect(granted(quota.turn(5))).toEqual([wants[2]?.id]);
  });
});

describe('a provider that says no', () => {
  function storm(quota: Quota, count: number, at: number): void {
    const wants = Array.from({ length: count }, (_, agent) => want({ attempt: `r ${agent} 1` }));
    for (const each of wants) quota.ask(each);
    expect(quota.turn(at).grants).toHaveLength(count);
    for (const each of wants)
      quota.settle(each.id, { kind: 'throttled', tokens: 0, retryAfterMs: 5_000, reason: '429' }, at + 10);
  }

  it('is left alone by everybody for the time it names, and then asked by one, two, four …', () => {
    const quota = new Quota({});
    storm(quota, 8, 0);
    for (let agent = 0; agent < 8; agent += 1) quota.ask(want({ attempt: `r ${agent} 1` }));
    expect(quota.turn(5_009)).toMatchObject({ grants: [], nextAt: 5_010 });
    const rounds: number[] = [];
    for (let at = 5_010; !quota.isIdle; at += 100) {
      const { grants } = quota.turn(at);
      rounds.push(grants.length);
      for (const { want: each } of grants) quota.settle(each.id, { kind: 'done', tokens: 1 }, at + 50);
    }
    expect(rounds).toEqual([1, 2, 5]);
  });

  it('and names no time is left alone for longer each time', () => {
    const quota = new Quota({});
    const waits: number[] = [];
    for (let round = 0, at = 0; round < 8; round += 1) {
      const each = want();
      quota.ask(each);
      expect(quota.turn(at).grants).toHaveLength(1);
      quota.settle(each.id, { kind: 'throttled', tokens: 0 }, at);
      quota.ask(each);
      const next = quota.turn(at).nextAt ?? at;
      waits.push(next - at);
      quota.withdraw(each.id);
      at = next;
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('and again and again that no pause is needed is not asked without one', () => {
    const quota = new Quota({});
    const waits: number[] = [];
    for (let round = 0, at = 0; round < 8; round += 1) {
      const each = want();
      quota.ask(each);
      expect(quota.turn(at).grants).toHaveLength(1);
      // Once it answers, its word counts again.
      const isAnswered = round === 5;
      quota.settle(each.id, { kind: isAnswered ? 'done' : 'throttled', tokens: 0, retryAfterMs: 0 }, at);
      quota.ask(each);
      const next = quota.turn(at).nextAt ?? at;
      waits.push(next - at);
      quota.withdraw(each.id);
      at = next;
    }
    expect(waits).toEqual([0, 0, 0, 8_000, 16_000, 0, 0, 0]);
  });

  it('because nothing is left parks whoever waits, until its reset', () => {
    const quota = new Quota({});
    const each = want();
    quota.ask(each);
    quota.turn(0);
    quota.settle(each.id, { kind: 'exhausted', tokens: 0, retryAfterMs: 3_600_000, reason: 'plan' }, 0);
    quota.ask(each);
    expect(quota.turn(1).parked).toMatchObject([
      { pause: { kind: 'exhausted', until: 3_600_000, reason: 'plan' } },
    ]);
    expect(granted(quota.turn(3_600_000))).toEqual([each.id]);
  });
});

describe('a budget', () => {
  it('is exceeded by one request an attempt at most, whatever they cost', () => {
    const cases = fc.record({
      seed: fc.integer({ min: 1, max: 1_000_000 }),
      attempts: fc.integer({ min: 1, max: 6 }),
      most: fc.integer({ min: 1, max: 400 }),
    });
    fc.assert(
      fc.property(cases, ({ seed, attempts, most }) => {
        const random = seededRandom(seed);
        const quota = new Quota({});
        const purse = quota.purse('run r');
        purse.limit = 1_000;
        const underWay: QuotaWant[] = [];
        for (let step = 0; step < 400; step += 1) {
          const attempt = `r ${Math.floor(random.next() * attempts)} 1`;
          quota.ask(want({ attempt, microUsd: most, purses: ['run r'] }));
          underWay.push(...quota.turn(step).grants.map((grant) => grant.want));
          if (random.next() < 0.6) continue;
          const [ended] = underWay.splice(Math.floor(random.next() * underWay.length), 1);
          if (ended === undefined) continue;
          purse.spent += Math.ceil(random.next() * most);
          quota.settle(ended.id, { kind: 'done', tokens: 1 }, step);
        }
        for (const ended of underWay) {
          purse.spent += most;
          quota.settle(ended.id, { kind: 'done', tokens: 1 }, 400);
        }
        expect(purse.spent).toBeLessThanOrEqual(1_000 + attempts * most);
        expect(purse.reserved).toBe(0);
        expect(quota.turn(500).unpaid.length > 0).toBe(purse.spent >= 1_000);
      }),
      { numRuns: 80 },
    );
  });

  it('counts a request as spent whose end was never told', () => {
    const quota = new Quota({});
    quota.purse('run r').limit = 100;
    const lost = want({ microUsd: 100, purses: ['run r'] });
    quota.ask(lost);
    quota.turn(0);
    quota.drop(lost.attempt);
    quota.ask(want({ attempt: 'r a 2', purses: ['run r'] }));
    expect(quota.turn(1)).toMatchObject({ grants: [], unpaid: [{ purse: 'run r' }] });
    quota.purse('run r').limit = 200;
    expect(quota.turn(2).grants).toHaveLength(1);
  });
});
