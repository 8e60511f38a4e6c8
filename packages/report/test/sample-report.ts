import { runReport, type Finding, type RunEvent, type RunReport, type TaskPhase } from '@switchyard/protocol';

/** A task of a sample run: how it ended, what it waits for, and how it went in seconds since the start. */
export interface SampleTask {
  readonly id: string;
  readonly phase: TaskPhase;
  readonly after?: readonly string[];
  readonly kind?: 'implement' | 'review' | 'verify' | 'manual';
  readonly begin?: number;
  readonly rounds?: number;
  readonly reason?: string;
  readonly finding?: Partial<Finding>;
  readonly output?: string;
}

const start = Date.UTC(2026, 10, 21, 9, 30, 0);
const commit = (seed: number): string => seed.toString(16).padStart(2, '0').repeat(20).slice(0, 40);
const at = (seconds: number): number => Math.round(start + seconds * 1000);

/** A sample report, checked against the schema like one from the wire. */
export function sampleReport(
  tasks: readonly SampleTask[],
  about: { phase?: 'completed' | 'failed' | 'running'; sandbox?: 'bubblewrap' | 'none'; name?: string } = {},
): RunReport {
  const phase = about.phase ?? 'completed';
  const count = (wanted: TaskPhase): number => tasks.filter((task) => task.phase === wanted).length;
  const progress = {
    total: tasks.length,
    completed: count('completed'),
    failed: count('failed'),
    skipped: count('skipped'),
    cancelled: count('cancelled'),
    running: count('running'),
    waiting: count('waiting'),
  };
  const events: unknown[] = [];
  const note = (seconds: number, kind: RunEvent['kind'], text: string, more: object = {}): void => {
    events.push({ run: 'docs-a2b3c4', seq: 0, at: at(seconds), kind, text, progress, ...more });
  };
  note(0, 'started', 'run started');
  const reports = tasks.map((task, index) => taskReport(task, index, note));
  note(41, 'verified', 'the merged result passes');
  const sorted = (events as RunEvent[])
    .sort((a, b) => a.at - b.at)
    .map((event, index) => ({ ...event, seq: index + 1 }));
  return runReport.parse({
    view: {
      run: 'docs-a2b3c4',
      name: about.name ?? 'Documentation of every package',
      phase,
      paused: false,
      createdAt: start,
      startedAt: start,
      ...(phase !== 'running' && { finishedAt: at(42) }),
      branch: 'switchyard/docs-a2b3c4',
      base: commit(10),
      tip: count('completed') > 0 ? commit(99) : commit(10),
      progress,
      strategy: { asked: 'auto', chosen: 'critical-path', reason: 'a chain of 4 tasks is longer than 3' },
      tasks: tasks.map((task) => ({
        id: task.id,
        kind: task.kind ?? 'implement',
        phase: task.phase,
        dependsOn: task.after ?? [],
        workspace: [`docs/${task.id.slice(0, 40)}`],
        attempt: task.begin === undefined ? 0 : (task.rounds ?? 1),
        round: task.rounds ?? 1,
        since: at((task.begin ?? 0) + 12),
        ...(task.reason !== undefined && { reason: task.reason }),
      })),
    },
    plan: samplePlan(tasks),
    tasks: reports,
    verification: [
      {
        commit: commit(99),
        tasks: tasks.filter((task) => task.phase === 'completed').map((task) => task.id),
        passed: true,
        at: at(41),
        receipts: [receipt('npm run typecheck', 0, ''), receipt('npm test', 0, '312 passed, 0 failed\n')],
      },
    ],
    sandbox: about.sandbox ?? 'bubblewrap',
    events: sorted,
  });
}

function samplePlan(tasks: readonly SampleTask[]): unknown {
  const review = { mode: 'required', specializations: [], rounds: 3, timeoutMs: 1000, onTimeout: 'escalate' };
  return {
    version: 1,
    name: 'sample',
    strategy: 'auto',
    limits: { workers: 2, rpm: 3800 },
    retryPolicy: {},
    scratch: [],
    include: [],
    verify: { run: [], when: 'batch', timeoutMs: 1000 },
    tasks: tasks.map((task) => ({
      id: task.id,
      kind: task.kind ?? 'implement',
      instructions: '',
      workspace: [],
      reads: 'all',
      dependsOn: task.after ?? [],
      requires: [],
      estimate: {},
      executor: { kind: 'command', run: [] },
      acceptance: [],
      review,
      mcpServers: [],
      onFailure: 'skip-dependents',
      timeoutMs: 1000,
      retries: 2,
    })),
  };
}

type Note = (seconds: number, kind: RunEvent['kind'], text: string, more?: object) => void;

function taskReport(task: SampleTask, index: number, note: Note): unknown {
  const { begin } = task;
  if (begin === undefined) {
    if (task.phase === 'skipped') note(15, 'task-skipped', `${task.id} skipped`, { taskId: task.id });
    return { id: task.id, attempts: [], filesChanged: [] };
  }
  const rounds = task.rounds ?? 1;
  const attempts = Array.from({ length: rounds }, (_, number) => {
    const from = begin + number * 8;
    const isLast = number === rounds - 1;
    const worker = `worker-${(index % 2) + 1}`;
    const more = { taskId: task.id, worker, attempt: number + 1 };
    note(from - 0.8, 'task-ready', `${task.id} is ready`, { taskId: task.id });
    note(from, 'task-assigned', `${task.id} goes to ${worker}`, more);
    const failed = isLast && task.phase === 'failed';
    if (failed) note(from + 4, 'task-failed', `${task.id} failed`, more);
    else {
      note(from + 4, 'task-submitted', `${task.id} handed in`, more);
      note(from + 5.5, 'review-verdict', `${task.id} reviewed`, more);
      if (!isLast) note(from + 5.6, 'task-rejected', `${task.id} sent back by reviewers`, more);
      else if (task.phase === 'completed') note(from + 8, 'task-completed', `${task.id} completed`, more);
    }
    return attemptOf(task, { from, number, worker, failed, isLast, index });
  });
  return {
    id: task.id,
    attempts,
    filesChanged: task.phase === 'completed' ? [`docs/${task.id.slice(0, 40)}/index.md`] : [],
    ...(task.phase === 'completed' && { mergeCommit: commit(40 + index) }),
  };
}

interface AttemptFacts {
  readonly from: number;
  readonly number: number;
  readonly worker: string;
  readonly failed: boolean;
  readonly isLast: boolean;
  readonly index: number;
}

function attemptOf(task: SampleTask, facts: AttemptFacts): unknown {
  const { failed, isLast } = facts;
  const output = task.output ?? 'ok\n';
  const finding = {
    severity: 'major',
    category: 'security',
    file: 'docs/schema.mjs',
    line: 12,
    description: 'A shell command is put together from pieces; a piece with `;` runs a command of its own.',
    suggestion: 'Use execFile with an array of arguments and no shell.',
    references: ['CWE-78', 'https://nodejs.org/api/child_process.html'],
    rule: 'ast-grep/shell-command-built',
    excerpt: { from: 11, lines: ['function open(name) {', '  exec(`less <${name}>`);', '}'] },
    ...task.finding,
  };
  return {
    attempt: facts.number + 1,
    fence: facts.number + 1,
    round: facts.number + 1,
    worker: facts.worker,
    leasedAt: at(facts.from),
    endedAt: at(facts.from + 4),
    outcome: failed ? 'failed' : isLast ? 'accepted' : 'rejected',
    ...(!failed && { commit: commit(70 + facts.index) }),
    receipts: [receipt(`node docs/check.mjs ${task.id.slice(0, 20)}`, failed ? 1 : 0, output)],
    ...(failed && {
      failure: {
        class: 'logic',
        code: 'E_ACCEPTANCE',
        message: task.reason ?? 'an acceptance command failed',
        outputTail: output,
      },
    }),
    reviews: failed
      ? []
      : [
          {
            reviewId: `r-${facts.index}-${facts.number}`,
            reviewer: 'reviewer-1',
            specialization: 'security',
            outcome: isLast ? 'approved' : 'rejected',
            feedback: isLast
              ? 'Nothing critical or major in 2 changed files.'
              : 'One major finding has to be mended.',
            findings: isLast && task.finding === undefined ? [] : [finding],
            durationMs: 1450,
          },
        ],
  };
}

function receipt(command: string, exitCode: number, outputTail: string): unknown {
  return {
    criterion: command,
    command,
    commit: commit(70),
    exitCode,
    ended: 'exited',
    durationMs: 1234,
    startedAt: start,
    outputTail,
    truncated: false,
  };
}

/** A run of some size with a diamond, a task that was sent back, a failure and what it skipped. */
export const mixedTasks: readonly SampleTask[] = [
  { id: 'inventory', phase: 'completed', begin: 1 },
  { id: 'api-protocol', phase: 'completed', begin: 9.5, after: ['inventory'] },
  { id: 'api-scheduler', phase: 'completed', begin: 9.8, after: ['inventory'], rounds: 2 },
  { id: 'api-guard', phase: 'completed', begin: 14, after: ['inventory'] },
  { id: 'dependency-graph', phase: 'completed', begin: 18, after: ['inventory'] },
  { id: 'licence-report', phase: 'completed', begin: 2 },
  {
    id: 'changelog',
    phase: 'failed',
    begin: 6,
    reason: 'the acceptance command `node docs/check.mjs changelog` ended with exit code 1',
    output: '\u001B[31mError\u001B[0m: no entry for 0.1.0\n    at check (docs/check.mjs:14:9)\n',
  },
  {
    id: 'release-notes',
    phase: 'skipped',
    after: ['changelog', 'api-guard'],
    reason: 'skipped because changelog failed',
  },
  {
    id: 'announcement',
    phase: 'skipped',
    after: ['release-notes'],
    reason: 'skipped because changelog failed',
  },
  {
    id: 'handbook',
    phase: 'completed',
    begin: 30,
    after: ['api-protocol', 'api-scheduler', 'api-guard', 'dependency-graph'],
  },
  { id: 'look-over', phase: 'completed', kind: 'verify', begin: 33, after: ['handbook'] },
];
