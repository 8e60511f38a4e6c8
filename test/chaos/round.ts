import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../scenarios/harness.ts';
import { chaosPlan, workSecondsFor, type VerifyWhen } from './chaos-plan.ts';
import { faultText, inflict, planFaults } from './faults.ts';
import { Fleet } from './fleet.ts';
import { factsOf } from './journal-facts.ts';
import { leftBehind } from './left-behind.ts';
import { judgeRun, readEvidence, reportFile, type RunEvidence } from './run-evidence.ts';
import { UserCheckout } from './user-checkout.ts';

/** One round: a fleet, a plan, faults. */
export interface RoundOptions {
  readonly seed: number;
  readonly tasks: number;
  /** How many faults; none: the undisturbed run. */
  readonly faults: number;
  readonly when: VerifyWhen;
  /** The merged tree of the undisturbed run. */
  readonly expectedTree?: string | undefined;
  /** How long a run may go on after the last fault. */
  readonly convergeMs: number;
  /** Told what happens, one line each. */
  readonly say: (line: string) => void;
}

/** What came out of it. */
export interface RoundResult {
  readonly tree: string;
  readonly faults: readonly string[];
  /** What was broken; empty: the round holds. */
  readonly violations: readonly string[];
  readonly attempts: number;
  readonly lost: number;
  readonly readyMs: number;
  readonly durationMs: number;
  /** Kept after a violation: repository, state and logs. */
  readonly folder: string | undefined;
}

/** Carries one round out, and removes its folder if nothing was broken. */
export async function playRound(options: RoundOptions): Promise<RoundResult> {
  const startedAt = performance.now();
  const fleet = await Fleet.start({ files: { 'readme.txt': 'a repository\n' } });
  const checkout = new UserCheckout(fleet.scenario);
  const faults: string[] = [];
  const violations: string[] = [];
  let evidence: RunEvidence | undefined;
  let readyMs = 0;
  try {
    readyMs = await fleet.ready();
    const plan = join(fleet.scenario.folder, 'plan.yaml');
    const workSeconds = options.faults === 0 ? undefined : workSecondsFor(readyMs);
    writeFileSync(plan, chaosPlan(options.tasks, options.when, workSeconds));
    const run = await fleet.submit(plan);
    faults.push(...(await disturb(fleet, options, { readyMs, run })));
    await convergence(fleet, options, run);
    await fleet.ready();
    await fleet.stop();
    evidence = readEvidence(fleet.scenario, run);
    violations.push(...judgeRun(fleet.scenario, evidence, options.expectedTree));
    violations.push(...checkout.changes(), ...leftBehind(fleet));
  } catch (error) {
    violations.push(error instanceof Error ? error.message : String(error));
    await fleet.stop();
  }
  violations.push(...fleet.surprises());
  await (violations.length === 0 ? fleet.scenario.close() : fleet.scenario.end());
  return {
    tree: evidence?.tree ?? '',
    faults,
    violations,
    attempts: factsOf(evidence?.facts ?? [], 'task-leased').length,
    lost: factsOf(evidence?.facts ?? [], 'attempt-lost').length,
    readyMs: Math.round(readyMs),
    durationMs: Math.round(performance.now() - startedAt),
    folder: violations.length === 0 ? undefined : fleet.scenario.folder,
  };
}

/** Inflicts the faults of the seed until they are used up or the run has ended; the answer is what was done. */
async function disturb(
  fleet: Fleet,
  { seed, faults, say }: RoundOptions,
  { readyMs, run }: { readonly readyMs: number; readonly run: string },
): Promise<string[]> {
  const done: string[] = [];
  const isOver = (): boolean => existsSync(reportFile(fleet.scenario, run));
  for (const { afterMs, fault } of planFaults(seed, faults, readyMs)) {
    // The interval is what this test is about: it is waited for, not a condition.
    await pause(afterMs);
    if (isOver()) break;
    say(`  ${faultText(fault)}`);
    done.push(faultText(fault));
    await inflict(fleet, fault, (ms) => pause(ms));
  }
  return done;
}

/** The run ends by itself once nothing disturbs it: its report is whole. */
async function convergence(fleet: Fleet, { convergeMs, say }: RoundOptions, run: string): Promise<void> {
  const startedAt = performance.now();
  const file = reportFile(fleet.scenario, run);
  await until(`the end of run ${run}`, () => (existsSync(file) ? true : undefined), convergeMs);
  say(`  converged ${Math.round(performance.now() - startedAt)} ms after the last fault`);
}
