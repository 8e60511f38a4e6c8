import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { CountReporter } from './count-reporter.ts';
import { LongestFirst } from './longest-first.ts';

const countsFile = process.env['SWITCHYARD_TEST_COUNTS'];

/** How every test runs: `npm test`, `nx test` and `vitest --config tools/vitest/vitest.config.ts`. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  cacheDir: fileURLToPath(new URL('../../node_modules/.vite', import.meta.url)),
  test: {
    include: ['**/*.test.ts'],
    exclude: [...configDefaults.exclude, '**/fixtures/**', '**/.nx/**'],
    pool: 'forks',
    // Tests start real processes: more at once makes them slow, not the whole faster.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // A hung test ends by these; a slow machine must not.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 60_000 } },
    reporters: countsFile === undefined ? ['default'] : ['default', new CountReporter(countsFile)],
  },
});
