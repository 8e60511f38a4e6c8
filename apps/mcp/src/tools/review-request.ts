import { AppError, specializations } from '@switchyard/protocol';
import { z } from 'zod';
import { runArgument } from '../arguments.ts';
import { tasksFromFile } from '../new-task.ts';
import { defineTool } from '../tool.ts';
import { workerIdOf } from '@switchyard/protocol';

/** Has the reviewers look at what a run has made so far. */
export const reviewRequest = defineTool({
  name: 'review_request',
  title: 'Request a review',
  description:
    'Adds a review to a running run: once the tasks it waits for are done, reviewers look at everything the run has changed since its base. Every task is reviewed on its own already; use this for the whole, for example before you report to your user. Answers at once; follow it with run_wait and read the findings with task_output.',
  input: z.strictObject({
    run: runArgument,
    reviewId: z.string().min(1).max(200).describe('Id of the review among the tasks of the run; unique.'),
    after: z
      .array(z.string().max(200))
      .max(1000)
      .optional()
      .describe('Tasks that must be done first. Default: all that are in the run now.'),
    specializations: z
      .array(z.enum(specializations))
      .max(specializations.length)
      .default([])
      .describe('What to look for. Default: chosen from the change.'),
    instructions: z.string().max(64_000).default('').describe('What the reviewers should mind.'),
  }),
  output: z.object({ run: z.string(), taskId: z.string(), workerId: z.string(), after: z.array(z.string()) }),
  changes: true,
  run: (args, { desk }) =>
    desk.station.ask(async (client) => {
      const run = await desk.run(client, args);
      const { plan, view } = (await client.report(run)).report;
      const open = view.tasks.filter(({ phase }) => !['failed', 'skipped', 'cancelled'].includes(phase));
      const after = args.after ?? open.map(({ id }) => String(id));
      if (after.length > 1000)
        throw new AppError(
          'E_USAGE',
          'a task waits for at most 1000 others; name those that matter in `after`',
        );
      const review = { mode: 'required', specializations: args.specializations };
      const { reviewId: id, instructions } = args;
      const tasks = tasksFromFile([{ id, kind: 'review', instructions, dependsOn: after, review }], plan);
      await client.addTasks(run, tasks);
      return { structured: { run, taskId: id, workerId: workerIdOf(run, id), after } };
    }),
});
