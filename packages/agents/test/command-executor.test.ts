import { AppError, taskAssignment, type TaskAssignment } from '@switchyard/protocol';
import {
  commandExecutor,
  executeTask,
  type CommandOptions,
  type CommandResult,
  type ExecutorContext,
  type ExecutorTask,
} from '@switchyard/agents';
import { describe, expect, it } from 'vitest';

function assignment(run: string[], extra: object = {}): TaskAssignment {
  return taskAssignment.parse({
    run: 'demo-abc',
    taskId: 'A task',
    attempt: 2,
    fence: 5,
    instructions: 'do it',
    workspacePath: 'src',
    acceptanceCriteria: [],
    kind: 'implement',
    workspace: ['src'],
    reads: 'all',
    executor: { kind: 'command', run },
    acceptance: [],
    timeoutMs: 10_000,
    base: '0'.repeat(40),
    scratch: [],
    round: 3,
    feedback: [],
    ...extra,
  });
}

const taskOf = (run: string[], extra: object = {}): ExecutorTask => ({
  assignment: assignment(run, extra),
  tree: '/tree',
  feedbackFile: '/in/feedback.json',
  instructionsFile: '/in/instructions.txt',
  escalationFile: '/out/escalation.json',
  upstreamFile: '/in/upstream.json',
  handoverFile: '/out/handover.json',
});

type Answer = Partial<CommandResult> | Error;
interface Call extends CommandOptions {
  readonly argv: readonly string[];
}

/** A command needs no more than `run`. */
function notHere(): never {
  throw new Error('a command does not ask for this');
}

/** A context whose commands answer from a list, in order; the last answer repeats. */
function contextOf(
  answers: Answer[],
  extra: Partial<Pick<ExecutorContext, 'signal' | 'readEscalation'>> = {},
) {
  const calls: Call[] = [];
  const said: string[] = [];
  const context: ExecutorContext = {
    run(argv, options) {
      calls.push({ argv, ...options });
      const answer = answers[Math.min(calls.length, answers.length) - 1] ?? {};
      if (answer instanceof Error) return Promise.reject(answer);
      options.onOutput?.(answer.output ?? '');
      return Promise.resolve({
        exitCode: 0,
        ended: 'exited',
        output: '',
        truncated: false,
        durationMs: 100,
        ...answer,
      });
    },
    spawn: notHere,
    ask: notHere,
    event: notHere,
    get files() {
      return notHere();
    },
    progress: (message) => said.push(message),
    signal: new AbortController().signal,
    spawnTask: () => Promise.reject(new Error('nothing is spawned here')),
    offer: () => undefined,
    pausedMs: () => 0,
    readEscalation: () => undefined,
    ...extra,
  };
  return { context, calls, said };
}

const execute = (task: ExecutorTask, context: ExecutorContext) =>
  executeTask([commandExecutor], task, context);

describe('the command executor', () => {
  it('runs the lines in order by sh, with the documented environment, and shares one time-out', async () => {
    const { context, calls, said } = contextOf([
      { output: 'one\n', durationMs: 4_000 },
      { output: 'two\nlast line\n' },
    ]);
    expect(
      await execute(
        taskOf(['echo one', 'echo two'], { answer: 'use B', inputs: { deploy_url: 'https://x' } }),
        context,
      ),
    ).toEqual({
      kind: 'done',
      summary: '2 commands ended well',
      said: 'two\nlast line\n',
      outputTail: 'one\ntwo\nlast line\n',
    });
    expect(calls.map((call) => call.argv)).toEqual([
      ['sh', '-c', 'echo one'],
      ['sh', '-c', 'echo two'],
    ]);
    expect(calls.map((call) => call.timeoutMs)).toEqual([10_000, 6_000]);
    expect(calls[0]?.env).toEqual({
      SWITCHYARD_RUN: 'demo-abc',
      SWITCHYARD_TASK: 'A task',
      SWITCHYARD_ATTEMPT: '2',
      SWITCHYARD_ROUND: '3',
      SWITCHYARD_FEEDBACK: '/in/feedback.json',
      SWITCHYARD_UPSTREAM: '/in/upstream.json',
      SWITCHYARD_HANDOVER: '/out/handover.json',
      SWITCHYARD_INSTRUCTIONS: '/in/instructions.txt',
      SWITCHYARD_ESCALATION: '/out/escalation.json',
      SWITCHYARD_ANSWER: 'use B',
      SWITCHYARD_INPUT_DEPLOY_URL: 'https://x',
    });
    expect(said).toEqual(['command 1 of 2: echo one', 'one', 'command 2 of 2: echo two', 'last line']);
  });

  it('ends well where there is nothing to run', async () => {
    const { context, calls } = contextOf([]);
    expect(await execute(taskOf([]), context)).toMatchObject({ kind: 'done' });
    expect(calls).toEqual([]);
  });

  it.each([
    ['another exit code', { exitCode: 2, output: 'boom' }, 'logic', 'E_COMMAND_FAILED', /exit code 2/],
    [
      'a write outside of its workspace',
      { exitCode: 1, output: 'cp: cannot create b/x: Read-only file system\n' },
      'logic',
      'E_COMMAND_FAILED',
      /exit code 1: outside of its workspace \(.+\) everything is read-only; name there/,
    ],
    [
      'the removal of its workspace itself',
      { exitCode: 1, output: "rm: cannot remove 'src/': Read-only file system\n" },
      'logic',
      'E_COMMAND_FAILED',
      /exit code 1: src is its workspace and stays where it is.*; empty it instead/,
    ],
    [
      'a workspace that is to be made, and is there',
      { exitCode: 1, output: 'mkdir: cannot create directory ‘src’: File exists\n' },
      'logic',
      'E_COMMAND_FAILED',
      /exit code 1: src is its workspace, and there when it begins.*`mkdir -p`/,
    ],
    [
      'another file that exists',
      { exitCode: 1, output: "mkdir: cannot create directory 'src/a': File exists\n" },
      'logic',
      'E_COMMAND_FAILED',
      /exit code 1$/,
    ],
    [
      'its time-out',
      { exitCode: 137, ended: 'timed-out' as const },
      'logic',
      'E_COMMAND_TIMEOUT',
      /longer than the task's 10 s/,
    ],
    [
      'a limit of the sandbox',
      { exitCode: 137, ended: 'killed' as const, reason: 'over 256 processes' },
      'logic',
      'E_COMMAND_FAILED',
      /was killed: over 256 processes/,
    ],
    ['EX_TEMPFAIL', { exitCode: 75 }, 'io', 'E_COMMAND_FAILED', /exit code 75/],
    ['no sandbox', new AppError('E_SANDBOX', 'bwrap says no'), 'system', 'E_SANDBOX', /bwrap says no/],
    [
      'no sandbox at all',
      new AppError('E_SANDBOX_UNAVAILABLE', 'none'),
      'fatal',
      'E_SANDBOX_UNAVAILABLE',
      /none/,
    ],
    ['a bug', new TypeError('oops'), 'fatal', 'E_INTERNAL', /a bug: oops/],
  ])('fails on %s, and runs nothing more', async (_, answer, failureClass, code, message) => {
    const { context, calls } = contextOf([{}, answer, {}]);
    const outcome = await execute(taskOf(['a', 'b', 'c']), context);
    expect(outcome).toMatchObject({ kind: 'failed', failure: { class: failureClass, code } });
    expect(outcome.kind === 'failed' && outcome.failure.message).toMatch(message);
    expect(calls).toHaveLength(2);
  });

  it('carries the end of the output of what failed', async () => {
    const { context } = contextOf([{ exitCode: 1, output: `${'x'.repeat(20_000)}END` }]);
    const outcome = await execute(taskOf(['a']), context);
    expect(outcome.kind === 'failed' && outcome.failure.outputTail).toMatch(/^x{8189}END$/);
  });

  it('escalates on exit code 75 with the words of the command', async () => {
    const words = {
      reason: 'two schemas fit',
      attemptedSolutions: ['A', 'B'],
      needsClarification: 'which one?',
    };
    const { context } = contextOf([{ exitCode: 75 }], { readEscalation: () => JSON.stringify(words) });
    expect(await execute(taskOf(['a']), context)).toEqual({ kind: 'escalated', ...words });
  });

  it.each([
    ['plain words', 'please help', 'please help'],
    ['a reason that is left out', '{"attemptedSolutions":[]}', '"a" asks for help'],
    ['wrong types', '{"reason": 5}', '{"reason": 5}'],
  ])('escalates with %s', async (_, written, reason) => {
    const { context } = contextOf([{ exitCode: 75 }], { readEscalation: () => written });
    expect(await execute(taskOf(['a']), context)).toMatchObject({
      kind: 'escalated',
      reason,
      attemptedSolutions: [],
    });
  });

  it('does not escalate on another exit code, whatever the file says', async () => {
    const { context } = contextOf([{ exitCode: 1 }], { readEscalation: () => '{"reason":"x"}' });
    expect(await execute(taskOf(['a']), context)).toMatchObject({ kind: 'failed' });
  });

  it('says E_CANCELLED when the attempt was cancelled', async () => {
    const controller = new AbortController();
    const { context, calls } = contextOf([{ exitCode: 137, ended: 'killed' }], { signal: controller.signal });
    const running = execute(taskOf(['a', 'b']), context);
    controller.abort(new Error('cancelled'));
    expect(await running).toMatchObject({ kind: 'failed', failure: { code: 'E_CANCELLED' } });
    expect(calls).toHaveLength(1);
  });

  it('refuses kinds that this worker does not have', async () => {
    const { context } = contextOf([]);
    const task = taskOf([], { executor: { kind: 'llm', model: 'x' } });
    expect(await execute(task, context)).toMatchObject({
      kind: 'failed',
      failure: { class: 'logic', code: 'E_EXECUTOR' },
    });
  });
});
