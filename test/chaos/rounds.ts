import type { VerifyWhen } from './chaos-plan.ts';
import { playRound, type RoundResult } from './round.ts';

/** Rounds one behind the other: round `n` has the seed `seed + n`. */
export interface RoundsOptions {
  readonly rounds: number;
  readonly tasks: number;
  readonly faults: number;
  readonly seed: number;
  readonly convergeMs: number;
  readonly say: (line: string) => void;
}

export interface SeededResult extends RoundResult {
  readonly seed: number;
  readonly when: VerifyWhen;
}

/** How a round is played again. */
function again({ tasks, faults }: RoundsOptions, seed: number): string {
  return `npm run chaos -- --rounds 1 --tasks ${tasks} --faults ${faults} --seed ${seed}`;
}

/**
 * Plays the undisturbed run of each way to verify, then the rounds against it. Says a line a fault and a round, and
 * a table at the end.
 */
export async function playRounds(options: RoundsOptions): Promise<SeededResult[]> {
  const { rounds, seed, say } = options;
  const trees = new Map<VerifyWhen, string>();
  const results: SeededResult[] = [];
  say(`chaos: ${rounds} rounds of ${options.tasks} tasks, ${options.faults} faults each, seed ${seed}`);
  for (let number = 0; number < rounds; number += 1) {
    const own = seed + number;
    const when = own % 2 === 0 ? 'batch' : 'each';
    const expectedTree = trees.get(when) ?? (await undisturbed(options, when));
    trees.set(when, expectedTree);
    say(`round ${number + 1} of ${rounds}, seed ${own}, verification ${when}`);
    const result = await playRound({ ...options, seed: own, when, expectedTree });
    results.push({ ...result, seed: own, when });
    sayOutcome(options, result, own);
  }
  table(results).forEach(say);
  return results;
}

async function undisturbed(options: RoundsOptions, when: VerifyWhen): Promise<string> {
  options.say(`undisturbed run, verification ${when}`);
  const result = await playRound({ ...options, faults: 0, when });
  sayOutcome(options, result, options.seed);
  if (result.violations.length > 0) throw new Error('the undisturbed run does not hold');
  return result.tree;
}

function sayOutcome(options: RoundsOptions, result: RoundResult, seed: number): void {
  const { say } = options;
  const { attempts, lost, durationMs, violations, folder, readyMs } = result;
  const word = violations.length === 0 ? 'holds' : 'FAILS';
  say(
    `  ${word}: ${(durationMs / 1000).toFixed(1)} s, ${result.faults.length} faults, ${attempts} attempts, ${lost} lost, ready in ${readyMs} ms`,
  );
  if (folder === undefined) return;
  for (const violation of violations) say(`  broken: ${violation}`);
  say(`  kept: ${folder} (repository, state, logs); again: ${again(options, seed)}`);
}

/** The summary, one line a round and one for all. */
export function table(results: readonly SeededResult[]): string[] {
  const rows = results.map(({ seed, when, faults, attempts, lost, durationMs, violations }) => [
    String(seed),
    when,
    String(faults.length),
    String(attempts),
    String(lost),
    (durationMs / 1000).toFixed(1),
    violations.length === 0 ? 'holds' : `FAILS (${violations.length})`,
  ]);
  const head = ['seed', 'verify', 'faults', 'attempts', 'lost', 'seconds', 'result'];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const failed = results.filter(({ violations }) => violations.length > 0).length;
  return [
    ...[head, ...rows].map(line),
    `${results.length - failed} of ${results.length} rounds hold, ${results.reduce((sum, { faults }) => sum + faults.length, 0)} faults`,
  ];
}
