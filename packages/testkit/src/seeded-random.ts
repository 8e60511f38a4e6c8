import type { Random } from '@switchyard/runtime';

/** Randomness from a seed (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  return {
    next,
    token: (length) => Array.from({ length }, () => alphabet[Math.floor(next() * 32)]).join(''),
  };
}
