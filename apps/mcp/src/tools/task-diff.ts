import { AppError } from '@switchyard/protocol';
import { z } from 'zod';
import { runArgument, taskArgument, workerArgument } from '../arguments.ts';
import { patchOfCommit } from '../patch.ts';
import { defineTool } from '../tool.ts';
import { taskOf } from './task-output.ts';

/** The patch that is shown of one attempt at most. */
const patchLength = 200_000;

/** What an attempt changed. */
export const taskDiff = defineTool({
  name: 'task_diff',
  title: 'Show what a task changed',
  description:
    'Shows the change that an attempt of a task handed in, as a patch, whether or not it was accepted. Default: the last attempt that handed something in. Use it to verify the work before you rely on it.',
  input: z.object({
    run: runArgument,
    taskId: taskArgument,
    workerId: workerArgument,
    attempt: z.number().int().min(1).optional(),
  }),
  output: z.object({
    run: z.string(),
    taskId: z.string(),
    attempt: z.number(),
    commit: z.string(),
    patch: z.string(),
    truncated: z.boolean(),
  }),
  changes: false,
  run: (args, { desk }) =>
    desk.station.look(async (client) => {
      const { run, taskId } = await desk.task(client, args);
      const { task } = taskOf((await client.report(run)).report, taskId);
      const handedIn = task.attempts.filter(
        (each) => args.attempt === undefined || each.attempt === args.attempt,
      );
      const last = handedIn.findLast(({ commit }) => commit !== undefined);
      if (last?.commit === undefined)
        throw new AppError(
          'E_RUN_STATE',
          `task ${taskId} has handed in no change yet; task_output shows what it did`,
        );
      const { attempt, commit } = last;
      const patch = await patchOfCommit(desk.config, commit);
      const truncated = patch.length > patchLength;
      return {
        structured: { run, taskId, attempt, commit, patch: patch.slice(0, patchLength), truncated },
        text: truncated ? `${patch.slice(0, patchLength)}\n… cut off` : patch,
      };
    }),
});
