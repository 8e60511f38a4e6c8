import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestCase, TestModule, TestRunEndReason } from 'vitest/node';

/** How many tests ended how. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Writes the counts of a run into a file, for the closing line of `npm test`, and says of a test that fails why, at
 * once: a run that is cut off later has told it.
 */
export class CountReporter implements Reporter {
  private readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  onTestCaseResult(test: TestCase): void {
    for (const { stack, message } of test.result().errors ?? [])
      console.error(`failed: ${test.fullName}\n${stack ?? message}`);
  }

  onTestRunEnd(
    modules: readonly TestModule[],
    errors: readonly SerializedError[],
    reason: TestRunEndReason,
  ): void {
    const counts = countModules(modules);
    const isBroken = errors.length > 0 || reason === 'interrupted';
    const failed = counts.failed + errors.length + (isBroken && errors.length === 0 ? 1 : 0);
    writeFileSync(this.file, JSON.stringify({ ...counts, failed }));
  }
}

/** A file that failed outside its tests (it does not load, a hook throws) counts as one failed test. */
function countModules(modules: readonly TestModule[]): Counts {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const module of modules) {
    const before = counts.failed;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      counts[state === 'pending' ? 'failed' : state] += 1;
    }
    if (!module.ok() && counts.failed === before) counts.failed += 1;
  }
  return counts;
}
