export const modeSlugs = ['orchestrator', 'worker', 'reviewer'] as const;

/** Whether a text names a mode: `reviewer-security` and the like are reviewers. */
export function isMode(text: string): boolean {
  return /^(orchestrator|worker|reviewer(-[a-z]+)*)$/.test(text);
}

/** Only this mode may start, grow, answer and end runs; the hub holds the others to looking. */
export function maySpawn(mode: string): boolean {
  return mode === 'orchestrator';
}

/** `--no-sandbox` is as with `switchyard run`. */
export function commandLineOf(argv: readonly string[]): string[] {
  return argv.flatMap((word) => (word === '--no-sandbox' ? ['--sandbox', 'off'] : [word]));
}
