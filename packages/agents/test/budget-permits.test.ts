import { BudgetPermits, Ledger, type BudgetPermitsOptions } from '@switchyard/agents';
import { attemptKey } from '@switchyard/protocol';
import { settle, VirtualClock } from '@switchyard/testkit';
import { beforeEach, describe, expect, it } from 'vitest';

const spender = attemptKey.parse({ run: 'session-1', taskId: '1', attempt: 1, fence: 1 });
const want = { provider: 'anthropic', model: 'm', tokens: 5, microUsd: 400_000 } as const;
const signal = new AbortController().signal;

let clock: VirtualClock;
let ledger: Ledger;
beforeEach(() => {
  clock = new VirtualClock();
  ledger = new Ledger();
});

const permitsOf = (providers: BudgetPermitsOptions['providers'] = {}): BudgetPermits =>
  new BudgetPermits({ clock, ledger, budgetUsd: 1, providers });
const cost = (microUsd: number): void =>
  ledger.add(spender, {
    ...{ provider: 'anthropic', model: 'm', inputTokens: 1, cachedTokens: 0, outputTokens: 1, microUsd },
  });

describe('permits within a budget', () => {
  it('wait while what is under way may cost all that is left, and count what it really cost', async () => {
    const permits = permitsOf();
    const [first] = await Promise.all([
      permits.acquire(spender, want, signal),
      permits.acquire(spender, want, signal),
    ]);
    // Two may cost 0.8 of a dollar together; in truth they do not.
    let isThere = false;
    const third = permits.acquire(spender, want, signal).then((permit) => {
      isThere = true;
      return permit;
    });
    await settle();
    expect(isThere).toBe(false);
    cost(10_000);
    first.settle({ kind: 'done', tokens: 2 });
    first.settle({ kind: 'done', tokens: 2 });
    const permit = await third;
    cost(700_000);
    permit.settle({ kind: 'done', tokens: 2 });
    expect(permits.spentMicroUsd()).toBe(710_000);
    expect(permits.refusal).toBeUndefined();
    await expect(permits.acquire(spender, want, signal)).rejects.toMatchObject({ code: 'E_MODEL' });
    expect(permits.refusal).toMatch(/left of the budget of \$1; raise it/);
  });

  it('wait as long as the provider says, and longer each time where it does not say', async () => {
    const permits = permitsOf();
    const refuse = async (retryAfterMs?: number): Promise<void> => {
      const permit = await permits.acquire(spender, want, signal);
      permit.settle({
        kind: 'throttled',
        reason: '429',
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      });
    };
    const comesAfter = async (ms: number): Promise<void> => {
      let isThere = false;
      const next = permits.acquire(spender, want, signal).then((permit) => {
        isThere = true;
        permit.settle({ kind: 'unused' });
      });
      await clock.advance(ms - 1);
      await settle();
      expect(isThere).toBe(false);
      await clock.advance(1);
      await next;
    };
    await refuse(7_000);
    await comesAfter(7_000);
    await refuse();
    await comesAfter(2_000);
    await refuse();
    await comesAfter(4_000);
    (await permits.acquire(spender, want, signal)).settle({ kind: 'done', tokens: 1 });
    await refuse();
    await comesAfter(1_000);
  });

  it('are not asked for without a pause where the provider says again and again that none is needed', async () => {
    const permits = permitsOf();
    const asked: number[] = [];
    const start = clock.monotonic();
    const asking = (async () => {
      while (asked.length < 6) {
        const permit = await permits.acquire(spender, want, signal);
        asked.push(clock.monotonic() - start);
        permit.settle({ kind: 'throttled', reason: '429', retryAfterMs: 0 });
      }
    })();
    for (let step = 0; step < 30; step += 1) await clock.advance(1_000);
    await asking;
    expect(asked).toEqual([0, 0, 0, 0, 8_000, 24_000]);
  });

  it('are refused where the provider has nothing left, or wants to be left alone for long', async () => {
    for (const settlement of [
      { kind: 'exhausted', reason: 'credit balance is too low' },
      { kind: 'throttled', reason: 'credit balance is too low', retryAfterMs: 600_000 },
    ] as const) {
      const permits = permitsOf();
      (await permits.acquire(spender, want, signal)).settle(settlement);
      await expect(permits.acquire(spender, want, signal)).rejects.toThrow(
        'anthropic has nothing left: credit balance is too low',
      );
    }
  });

  it('keep to the rate of the models file, and end with the signal', async () => {
    const permits = permitsOf({ anthropic: { quota: { rpm: 60 } } });
    const at: number[] = [];
    const start = clock.monotonic();
    const all = [1, 2, 3].map(async () => {
      const permit = await permits.acquire(spender, { ...want, microUsd: 1 }, signal);
      at.push(clock.monotonic() - start);
      permit.settle({ kind: 'unused' });
    });
    for (let step = 0; step < 4; step += 1) await clock.advance(1_000);
    await Promise.all(all);
    expect(at).toEqual([0, 1_000, 2_000]);
    (await permits.acquire(spender, want, signal)).settle({ kind: 'unused' });
    const controller = new AbortController();
    const waiting = permits.acquire(spender, want, controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});
