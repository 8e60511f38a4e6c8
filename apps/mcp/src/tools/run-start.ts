import { z } from 'zod';
import { planArguments, soundPlan } from '../plan-source.ts';
import { defineTool } from '../tool.ts';

/** Submits a plan. */
export const runStart = defineTool({
  name: 'run_start',
  title: 'Start a run',
  description:
    'Runs a plan: its tasks are carried out in parallel by workers in isolated clones, reviewed, merged onto a branch of the run and verified. The checkout of the user does not change. Use it when you know all tasks beforehand; use spawn_parallel_instance to add one at a time. A plan with errors is refused with all of them. Answers at once; follow it with run_wait.',
  input: z.strictObject(planArguments),
  output: z.object({ run: z.string(), tasks: z.number(), branch: z.string() }),
  changes: true,
  async run(args, { desk }) {
    const { plan, file } = await soundPlan(desk, args);
    const run = await desk.station.work((client) => client.submit(plan, file));
    desk.current = run;
    return {
      structured: { run, tasks: plan.tasks.length, branch: `switchyard/${run}` },
      text: `started run ${run} with ${plan.tasks.length} tasks; call run_wait to follow it`,
    };
  },
});
