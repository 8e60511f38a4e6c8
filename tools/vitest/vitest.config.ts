import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { CountReporter } from './count-reporter.ts';

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
    testTimeout: 20_000,
    hookTimeout: 20_000,
    reporters: countsFile === undefined ? ['default'] : ['default', new CountReporter(countsFile)],
  },
});
