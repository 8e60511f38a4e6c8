import { expect, test } from 'vitest';
import { benchUsage, parseBench } from './bench-options.ts';
import { fullSize } from './bench-size.ts';

test('an entry does as much as the flags say, and what no flag names stays whole', () => {
  expect(parseBench(['guard-races', '--race-tries', '71429', '--only', 'move'], fullSize)).toEqual({
    name: 'guard-races',
    size: { ...fullSize, raceTries: 71_429, only: 'move' },
  });
  expect(parseBench(['loop'], fullSize)).toEqual({ name: 'loop', size: fullSize });
  expect(parseBench(['--help', 'loop'], fullSize).name).toBeUndefined();
  expect(benchUsage(fullSize)).toContain('--race-tries 1000000');
});

test.each([['--race-tries', '0'], ['--race-tries', '1e6'], ['--race-trys', '5'], ['--race-tries']])(
  'what is no size is refused: %s %s',
  (...words) => {
    expect(() => parseBench(['guard-races', ...words], fullSize)).toThrow(/race-tr/);
  },
);
