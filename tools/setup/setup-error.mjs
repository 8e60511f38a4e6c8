// Something this machine needs is missing: the text names the command that mends it.

/** `setupMissing` of packages/protocol/src/error-codes.ts. */
export const setupMissingCode = 4;

export class SetupError extends Error {
  exitCode = setupMissingCode;
}

/** Runs `main` and ends the process with its answer, or with a SetupError's text and exit code. */
export async function endWith(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}
