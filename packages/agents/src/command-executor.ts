import type { Failure, TaskAssignment } from '@switchyard/protocol';
import type { CommandResult, Executor, ExecutorContext, ExecutorOutcome, ExecutorTask } from './executor.ts';
import { failure, tailOf } from './failure-of.ts';
import { placeHint } from './place-hint.ts';
import { escalatedBy } from './read-escalation.ts';

/** EX_TEMPFAIL of sysexits.h: "temporary failure; the user is invited to retry". */
const temporaryFailure = 75;

/**
 * Runs the task's list of command lines in order, each by `sh -c`; the first failure ends it. The task's time-out
 * is for all of them together. Exit code 75 asks: with words in $SWITCHYARD_ESCALATION it escalates, without it is
 * a temporary failure (class `io`, which is retried).
 */
export const commandExecutor: Executor = {
  kind: 'command',
  async execute(task, context) {
    const { executor, timeoutMs } = task.assignment;
    const lines = executor.kind === 'command' ? executor.run : [];
    let leftMs = timeoutMs;
    let output = '';
    let said = '';
    for (const [index, line] of lines.entries()) {
      context.signal.throwIfAborted();
      context.progress(`command ${index + 1} of ${lines.length}: ${line}`);
      const result = await context.run(['sh', '-c', line], {
        timeoutMs: Math.max(1, leftMs),
        env: commandEnvironment(task),
        onOutput: (chunk) => reportLastLine(chunk, context),
      });
      context.signal.throwIfAborted();
      leftMs -= result.durationMs;
      said = result.output;
      output = tailOf(output + said);
      if (result.ended !== 'exited' || result.exitCode !== 0) return endOf(line, result, task, context);
    }
    const summary = lines.length === 1 ? '1 command ended well' : `${lines.length} commands ended well`;
    return { kind: 'done', summary, outputTail: output, said };
  },
};

/** What a command finds in its environment (API; documented for plan writers). */
function commandEnvironment(task: ExecutorTask): Record<string, string> {
  const { run, taskId, attempt, round, answer, inputs } = task.assignment;
  return {
    SWITCHYARD_RUN: run,
    SWITCHYARD_TASK: taskId,
    SWITCHYARD_ATTEMPT: String(attempt),
    SWITCHYARD_ROUND: String(round),
    SWITCHYARD_FEEDBACK: task.feedbackFile,
    SWITCHYARD_UPSTREAM: task.upstreamFile,
    SWITCHYARD_HANDOVER: task.handoverFile,
    SWITCHYARD_INSTRUCTIONS: task.instructionsFile,
    SWITCHYARD_ESCALATION: task.escalationFile,
    ...(answer !== undefined && { SWITCHYARD_ANSWER: answer }),
    ...Object.fromEntries(
      Object.entries(inputs).map(([name, value]) => [`SWITCHYARD_INPUT_${name.toUpperCase()}`, value]),
    ),
  };
}

function reportLastLine(chunk: string, context: ExecutorContext): void {
  const line = chunk
    .trimEnd()
    .split(/[\r\n]/)
    .at(-1)
    ?.trim();
  if (line) context.progress(line);
}

function endOf(
  line: string,
  result: CommandResult,
  task: ExecutorTask,
  context: ExecutorContext,
): ExecutorOutcome {
  if (result.ended === 'exited' && result.exitCode === temporaryFailure) {
    const words = context.readEscalation();
    if (words !== undefined) return escalatedBy(words, `"${line}" asks for help`);
  }
  return { kind: 'failed', failure: failureOfCommand(line, result, task.assignment) };
}

function failureOfCommand(line: string, result: CommandResult, assignment: TaskAssignment): Failure {
  const outputTail = result.output;
  switch (result.ended) {
    case 'timed-out':
      // `logic`, not `system`: a command that used up its own limit would use it up again, and every retry
      // would hold the workspace for that long. Whoever expects a slow machine raises `timeoutMinutes`.
      return failure(
        'E_COMMAND_TIMEOUT',
        `"${line}" ran longer than the task's ${assignment.timeoutMs / 1000} s and was killed with all its children`,
        { outputTail },
      );
    case 'killed':
      // A limit of the sandbox (processes, memory): the same command would meet it again.
      return failure('E_COMMAND_FAILED', `"${line}" was killed: ${result.reason ?? 'no reason is known'}`, {
        outputTail,
      });
    case 'exited':
      return failure(
        'E_COMMAND_FAILED',
        `"${line}" ended with exit code ${result.exitCode}${placeHint(outputTail, assignment)}`,
        {
          outputTail,
          ...(result.exitCode === temporaryFailure && { class: 'io' as const }),
        },
      );
  }
}
