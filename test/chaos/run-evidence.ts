import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runReport, type RunReport } from '@switchyard/protocol';
import { silentLogger } from '@switchyard/runtime';
import { inspectOutbox, openOutbox } from '@switchyard/store';
import type { RunFact } from '@switchyard/scheduler';
import type { Scenario } from '../scenarios/harness.ts';
import { peerNames } from './fleet.ts';
import { factsOf, readRunFacts } from './journal-facts.ts';

/** What a finished run left, read from git, journal and report after every daemon has ended. */
export interface RunEvidence {
  readonly tree: string;
  readonly report: RunReport;
  readonly facts: readonly RunFact[];
  /** Merge commits of the run branch, oldest first. */
  readonly merges: readonly { readonly task: string; readonly attempt: number; readonly accepted: string }[];
}

/** Where the report of a run is once it is whole. */
export function reportFile(scenario: Scenario, run: string): string {
  return join(scenario.state, 'runs', run, 'report.json');
}

/** Reads it all. */
export function readEvidence(scenario: Scenario, run: string): RunEvidence {
  const branch = `switchyard/${run}`;
  const report = runReport.parse(JSON.parse(readFileSync(reportFile(scenario, run), 'utf8')));
  const format = ['Switchyard-Task', 'Switchyard-Attempt'].map(
    (key) => `%(trailers:key=${key},valueonly,separator=%x2C)`,
  );
  const lines = scenario
    .git('log', '--first-parent', '--reverse', `--format=${format.join('%x09')}%x09%P`, `main..${branch}`)
    .split('\n')
    .filter((line) => line !== '');
  return {
    tree: scenario.git('rev-parse', `${branch}^{tree}`).trim(),
    report,
    facts: readRunFacts(scenario.state, run),
    merges: lines.map((line) => {
      const [task = '', attempt = '', parents = ''] = line.split('\t');
      return { task, attempt: Number(attempt), accepted: parents.split(' ')[1] ?? '' };
    }),
  };
}

/** What of promises 1, 3 and 6 (DESIGN.md section 12) the run broke; empty: nothing. */
export function judgeRun(
  scenario: Scenario,
  evidence: RunEvidence,
  expectedTree: string | undefined,
): string[] {
  const { report, tree } = evidence;
  const { phase, reason } = report.view;
  return [
    ...(phase === 'completed' ? [] : [`the run is ${phase}: ${reason ?? ''}`]),
    ...report.view.tasks
      .filter((task) => task.phase !== 'completed')
      .map((task) => `task ${task.id} is ${task.phase}: ${task.reason ?? ''}`),
    ...(expectedTree === undefined || tree === expectedTree
      ? []
      : [`the merged tree is ${tree}, that of the undisturbed run ${expectedTree}`]),
    ...judgeIntegrations(evidence),
    ...judgeReceipts(evidence),
    ...judgeOutboxes(scenario),
  ];
}

/** Each task is merged once, by the commit that was accepted, and the journal says the same. */
function judgeIntegrations({ report, facts, merges }: RunEvidence): string[] {
  const moved = factsOf(facts, 'branch-moved').flatMap((fact) => fact.merged.map(({ taskId }) => taskId));
  const completed = factsOf(facts, 'task-completed').map(({ taskId }) => taskId);
  return report.view.tasks.flatMap(({ id }) => {
    const merged = merges.filter(({ task }) => task === id);
    const accepted = factsOf(facts, 'task-accepted-for-merge').findLast(({ taskId }) => taskId === id);
    const counts = {
      'merge commits on the run branch': merged.length,
      'integrations in the journal': moved.filter((taskId) => taskId === id).length,
      'completions in the journal': completed.filter((taskId) => taskId === id).length,
    };
    return [
      ...Object.entries(counts).flatMap(([what, count]) =>
        count === 1 ? [] : [`task ${id} has ${count} ${what}`],
      ),
      ...(merged.every((merge) => merge.accepted === accepted?.accepted.commit)
        ? []
        : [`what was merged of task ${id} is not what was accepted`]),
    ];
  });
}

/** A submission counts with receipts of all its acceptance commands; the branch moves to what passed verification. */
function judgeReceipts({ report, facts, merges }: RunEvidence): string[] {
  const tasks = report.plan.tasks.flatMap(({ id, acceptance }) => {
    const wanted = acceptance.filter(({ kind }) => kind === 'run').length;
    const attempts = report.tasks.find((task) => task.id === id)?.attempts ?? [];
    const merged = attempts.find(({ attempt }) =>
      merges.some((merge) => merge.task === id && merge.attempt === attempt),
    );
    const good =
      merged?.receipts.filter(({ exitCode, commit }) => exitCode === 0 && commit === merged.commit) ?? [];
    return good.length === wanted ? [] : [`task ${id} was merged with ${good.length} of ${wanted} receipts`];
  });
  const branch = factsOf(facts, 'branch-moved').flatMap(({ to }) => {
    const verified = report.verification.some(
      ({ commit, passed, receipts }) => commit === to && passed && receipts.length > 0,
    );
    return verified ? [] : [`the run branch was moved to ${to}, which has no receipts of a verification`];
  });
  return [...tasks, ...branch];
}

/** Whether the orchestrator has acknowledged all that its peers report; they may be running. */
export function haveArrived({ state }: Scenario): boolean {
  const files = peerNames.map((name) => join(state, 'peers', name, 'outbox'));
  return files.every((file) => !existsSync(file) || inspectOutbox(file, 'outbox').text === 'empty');
}

/** Every report that a daemon wrote down for the orchestrator has arrived. */
function judgeOutboxes({ state }: Scenario): string[] {
  return peerNames.flatMap((name) => {
    const file = join(state, 'peers', name, 'outbox');
    if (!existsSync(file)) return [];
    const waiting = openOutbox({ file, logger: silentLogger() }).pending().length;
    return waiting === 0 ? [] : [`${waiting} reports of ${name} have not arrived`];
  });
}
