import { expect, it } from 'vitest';
import { retry } from '../src/retry.ts';

it('a path that changes at every try is refused after the eighth', () => {
  let tries = 0;
  const work = (): 'changed' => {
    tries += 1;
    return 'changed';
  };
  expect(() => retry('f', work)).toThrow(expect.objectContaining({ code: 'E_IO' }));
  expect(tries).toBe(8);
});
