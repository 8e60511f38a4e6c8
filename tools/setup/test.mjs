// `npm test`: sets up what is missing, runs every test, and ends with one counted line, `N passed, N failed`, also
// when the runner itself breaks. Arguments go to vitest: npm test -- --dir packages/plan
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runHere } from './child.mjs';
import { countedLine, fromReport } from './counted-line.mjs';
import { ensure, root } from './ensure.mjs';
import { SetupError } from './setup-error.mjs';
import { withTempInMemory } from './temp-in-memory.mjs';

async function main(args) {
  // Not below /tmp: the tests may have one of their own.
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'switchyard-test-'));
  const report = join(folder, 'counts.json');
  try {
    const code = await runVitest(args, report);
    const counts = fromReport(readOr(report), code);
    console.log(`\n${countedLine(counts)}`);
    return counts.failed === 0 ? 0 : code === 0 ? 1 : code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runVitest(args, report) {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const config = join(root, 'tools', 'vitest', 'vitest.config.ts');
  const command = [process.execPath, vitest, 'run', '--config', config, '--root', root, ...args];
  const [program, ...words] = withTempInMemory(command, root);
  return runHere(program, words, {
    cwd: root,
    env: { ...process.env, SWITCHYARD_TEST_COUNTS: report, NX_DAEMON: 'false' },
  });
}

function readOr(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // The runner ended before it could report.
    return undefined;
  }
}

try {
  ensure();
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof SetupError ? error.message : error);
  console.log(`\n${countedLine({ passed: 0, failed: 1, skipped: 0 })}`);
  process.exitCode = error instanceof SetupError ? error.exitCode : 1;
}
