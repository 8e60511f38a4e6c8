import { within } from '@switchyard/runtime';
import { VirtualClock } from '@switchyard/testkit';
import { expect, it } from 'vitest';

const never = new Promise<void>(() => undefined);

it('tells work that is done in time from work that is not, and leaves no timer behind', async () => {
  const clock = new VirtualClock();
  expect(await within(clock, Promise.resolve('done'), 100)).toBe(true);
  const late = within(clock, never, 100);
  await clock.advance(100);
  expect(await late).toBe(false);
  await expect(within(clock, Promise.reject(new Error('broken')), 100)).rejects.toThrow('broken');
  expect(clock.timersLeft).toBe(0);
});
