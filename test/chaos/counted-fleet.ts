import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { until, type Scenario } from '../scenarios/harness.ts';
import { readLog, type LogRecord } from './daemon-logs.ts';
import { Fleet, type FleetOptions } from './fleet.ts';
import { leftBehind } from './left-behind.ts';
import { haveArrived, judgeRun, readEvidence, reportFile } from './run-evidence.ts';

/** How long a busy machine may take for anything. */
export const waitMs = 5 * 60_000;

/** A task that takes a while, and leaves a mark of each of its executions. */
export interface CountedTask {
  readonly id: string;
  readonly seconds: number;
  readonly review?: boolean;
}

/** Where each execution of a task leaves a line: outside of git, of workspaces, and of what anybody takes back. */
export const ranFolder = ({ folder }: Scenario): string => join(folder, 'ran');

function planText(scenario: Scenario, tasks: readonly CountedTask[]): string {
  const lines = tasks.flatMap(({ id, seconds, review }) => {
    const work = `echo ran >> ${join(ranFolder(scenario), id)} && sleep ${seconds} && mkdir -p out && echo ${id} > out/${id}.ts`;
    return [
      `  - id: ${id}`,
      `    instructions: Write ${id}`,
      `    workspace: out/${id}.ts`,
      `    executor: { kind: command, run: ["${work}"] }`,
      ...(review === true ? ['    review: { mode: required, specializations: [style] }'] : []),
    ];
  });
  const defaults = 'defaults: { timeoutMinutes: 5, review: { mode: never }, onFailure: fail-run }';
  return `version: 1\nname: counted\nlimits: { workers: 2 }\n${defaults}\nverify: { run: ["test -d out"], when: each }\ntasks:\n${lines.join('\n')}\n`;
}

/** How often each task was executed. */
export function executions({ scenario }: Fleet): Record<string, number> {
  const folder = ranFolder(scenario);
  const count = (name: string): number => readFileSync(join(folder, name), 'utf8').trim().split('\n').length;
  return Object.fromEntries(readdirSync(folder).map((name) => [name, count(name)]));
}

/** The first line of a daemon's log that says so, once it is there. */
export function logged(fleet: Fleet, daemon: string, is: (line: LogRecord) => boolean): Promise<LogRecord> {
  return until(`a line of ${daemon}`, () => readLog(fleet.scenario.state, daemon).find(is), waitMs);
}

/** Fleets whose tasks count their executions; every one that was started is ended by `close`. */
export class CountedFleets {
  private readonly fleets: Fleet[] = [];

  /** Tasks may write where the test counts them: without a sandbox. `prepare` comes after the plan. */
  async start(tasks: readonly CountedTask[], options: Omit<FleetOptions, 'files'>): Promise<Fleet> {
    const fleet = await Fleet.start({
      files: { 'readme.txt': 'a repository\n' },
      workerFlags: ['--sandbox', 'off'],
      ...options,
      prepare: (scenario) => {
        mkdirSync(ranFolder(scenario));
        scenario.write({ 'plan.yaml': planText(scenario, tasks) });
        scenario.commit('the plan');
        options.prepare?.(scenario);
      },
    });
    this.fleets.push(fleet);
    return fleet;
  }

  /** The end of a run and of all daemons; nothing is broken, nothing is left. */
  async judgedEnd(fleet: Fleet, run: string): Promise<ReturnType<typeof readEvidence>> {
    const file = reportFile(fleet.scenario, run);
    await until(`the end of ${run}`, () => (existsSync(file) ? true : undefined), waitMs);
    await until('the last word of the hub', () => haveArrived(fleet.scenario) || undefined, waitMs);
    await fleet.stop();
    const evidence = readEvidence(fleet.scenario, run);
    const broken = [
      ...judgeRun(fleet.scenario, evidence, undefined),
      ...fleet.surprises(),
      ...leftBehind(fleet),
    ];
    expect(broken).toEqual([]);
    return evidence;
  }

  async close(): Promise<void> {
    await Promise.all(this.fleets.splice(0).map((fleet) => fleet.scenario.close()));
  }
}
