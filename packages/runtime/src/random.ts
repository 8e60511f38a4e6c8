import { randomBytes } from 'node:crypto';

/** Randomness as the program sees it, so that the simulation can seed it. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** `length` characters of lower-case base 32 (5 bits each). */
  token(length: number): string;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

export const systemRandom: Random = {
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  token: (length) => [...randomBytes(length)].map((byte) => alphabet[byte & 31]).join(''),
};
