import { z } from 'zod';
import { runArgument, taskArgument, workerArgument } from '../arguments.ts';
import { defineTool } from '../tool.ts';
import { taskOfWorkerId } from '@switchyard/protocol';

/** Cancels a run or a task. */
export const runCancel = defineTool({
  name: 'run_cancel',
  title: 'Cancel a run or a task',
  description:
    'Cancels a run, or one task of it with taskId or workerId; its process is ended and dependants are skipped. What was integrated before stays on the branch of the run. Cannot be undone.',
  input: z.strictObject({
    run: runArgument,
    taskId: taskArgument,
    workerId: workerArgument,
    reason: z.string().max(1000).default('asked by the orchestrating agent'),
  }),
  output: z.object({ run: z.string(), taskId: z.string().optional(), cancelled: z.boolean() }),
  changes: true,
  annotations: { destructiveHint: true, idempotentHint: true },
  run: (args, { desk }) =>
    desk.station.ask(async (client) => {
      const run = await desk.run(client, args);
      const taskId = args.taskId ?? taskOfWorkerId(args.workerId)?.taskId;
      await client.cancel(run, { reason: args.reason, ...(taskId !== undefined && { taskId }) });
      return { structured: { run, cancelled: true, ...(taskId !== undefined && { taskId }) } };
    }),
});
