import {
  AppError,
  failureLine,
  severity,
  unknownTask,
  type AttemptReport,
  type RunReport,
} from '@switchyard/protocol';
import { z } from 'zod';
import { runArgument, taskArgument, workerArgument } from '../arguments.ts';
import { defineTool } from '../tool.ts';

/** Ends of outputs, and how many of each, that are shown of one attempt. */
const tailLength = 4_000;
const receiptsShown = 20;
const findingsShown = 100;

const receipt = z.object({
  command: z.string(),
  exitCode: z.number(),
  ended: z.string(),
  output: z.string(),
});
const finding = z.object({
  severity,
  category: z.string(),
  file: z.string().optional(),
  line: z.number().optional(),
  description: z.string(),
  suggestion: z.string().optional(),
});
const review = z.object({
  specialization: z.string(),
  outcome: z.string(),
  feedback: z.string(),
  findings: z.array(finding),
});
const attempt = z.object({
  attempt: z.number(),
  outcome: z.string(),
  worker: z.string(),
  commit: z.string().optional(),
  failure: z.string().optional(),
  failureOutput: z.string().optional(),
  output: z.string().optional(),
  receipts: z.array(receipt),
  reviews: z.array(review),
});

/** What the attempts of a task did and handed in. */
export const taskOutput = defineTool({
  name: 'task_output',
  title: 'Show the output of a task',
  description:
    'Shows what a task did: its attempts with outcome and failure or the end of what they printed, the acceptance commands with the end of their output, the verdicts and findings of reviewers, and the last log lines. Use it to verify a task, or to learn why it failed or was rejected. task_diff shows what it changed.',
  input: z.object({
    run: runArgument,
    taskId: taskArgument,
    workerId: workerArgument,
    attempt: z.number().int().min(1).optional().describe('Only this attempt. Default: all.'),
    logLines: z.number().int().min(0).max(500).default(40),
  }),
  output: z.object({
    run: z.string(),
    taskId: z.string(),
    phase: z.string(),
    filesChanged: z.array(z.string()),
    attempts: z.array(attempt),
    log: z.array(z.string()),
  }),
  changes: false,
  run: (args, { desk }) =>
    desk.station.look(async (client) => {
      const { run, taskId } = await desk.task(client, args);
      const { report } = await client.report(run);
      const { task, phase } = taskOf(report, taskId);
      const attempts = task.attempts.filter(
        (each) => args.attempt === undefined || each.attempt === args.attempt,
      );
      if (args.attempt !== undefined && attempts.length === 0)
        throw new AppError('E_USAGE', `task ${taskId} has no attempt ${args.attempt}`);
      const log: string[] = [];
      if (args.logLines > 0)
        await client.logs({ run, taskId }, (line) => log.push(line.line), {
          tail: args.logLines,
          follow: false,
        });
      const filesChanged = task.filesChanged.slice(0, 1000);
      return {
        structured: { run, taskId, phase, filesChanged, attempts: attempts.map(shapeOfAttempt), log },
      };
    }),
});

/** A task of a report. Throws AppError E_TASK_UNKNOWN. */
export function taskOf(
  report: RunReport,
  taskId: string,
): { task: RunReport['tasks'][number]; phase: string } {
  const task = report.tasks.find(({ id }) => id === taskId);
  const view = report.view.tasks.find(({ id }) => id === taskId);
  if (task === undefined || view === undefined)
    throw unknownTask(
      report.view.run,
      taskId,
      report.tasks.map(({ id }) => id),
    );
  return { task, phase: view.phase };
}

/** One attempt as tools show it. */
export function shapeOfAttempt(each: AttemptReport): z.infer<typeof attempt> {
  const { failure } = each;
  return {
    attempt: each.attempt,
    outcome: each.outcome,
    worker: each.worker,
    ...(each.commit !== undefined && { commit: each.commit }),
    ...(failure !== undefined && { failure: failureLine(failure) }),
    ...(failure?.outputTail !== undefined && { failureOutput: failure.outputTail.slice(-tailLength) }),
    ...(each.outputTail !== undefined && { output: each.outputTail.slice(-tailLength) }),
    receipts: each.receipts.slice(-receiptsShown).map(({ command, exitCode, ended, outputTail }) => ({
      ...{ command, exitCode, ended },
      output: outputTail.slice(-tailLength),
    })),
    reviews: each.reviews.map(({ specialization, outcome, feedback, findings }) => ({
      ...{ specialization, outcome, feedback },
      findings: findings.slice(0, findingsShown).map((found) => finding.parse(found)),
    })),
  };
}
