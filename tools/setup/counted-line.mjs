// The closing line of `npm test`.

/** `12 passed, 0 failed`, and what was skipped when something was. */
export function countedLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * The counts that the reporter wrote, held against the runner's exit code: a runner that failed, reported nothing
 * or ran nothing counts as one failed test, so that silence is never success.
 */
export function fromReport(text, exitCode) {
  const counts = text === undefined ? { passed: 0, failed: 0, skipped: 0 } : JSON.parse(text);
  const isBroken = text === undefined || exitCode !== 0 || counts.passed === 0;
  return counts.failed === 0 && isBroken ? { ...counts, failed: 1 } : counts;
}
