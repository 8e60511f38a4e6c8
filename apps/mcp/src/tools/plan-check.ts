import { analyzePlan } from '@switchyard/plan';
import { z } from 'zod';
import { planArguments, problemShape, problemText, readPlan } from '../plan-source.ts';
import { defineTool } from '../tool.ts';

const analysis = z.object({
  name: z.string(),
  tasks: z.number(),
  readyAtOnce: z.array(z.string()),
  criticalPath: z.array(z.string()),
  strategy: z.string(),
  atOnceAtMost: z.number(),
});

/** What a Markdown plan holds and does not run. */
const leftOut = z.array(z.object({ id: z.string(), line: z.number(), why: z.string() }));

/** Lints a plan without running it. */
export const planCheck = defineTool({
  name: 'plan_check',
  title: 'Check a plan',
  description:
    'Lints a plan without running it: circles, unknown dependencies, overlapping workspaces, missing commands, all at once with line, column and a fix. Call it on every plan you write, mend what it names, and only then call run_start. Changes nothing and needs no orchestrator.',
  input: z.object(planArguments),
  output: z.object({
    ok: z.boolean(),
    problems: z.array(problemShape),
    done: leftOut.optional().describe('Of a Markdown plan: tasks that are done and not run again.'),
    deferred: leftOut.optional().describe('Of a Markdown plan: what is put off and no part of the run.'),
    analysis: analysis.optional(),
  }),
  changes: false,
  async run(args, { desk }) {
    const { plan, problems, done, deferred } = await readPlan(desk, args);
    const left = { ...(done && { done: [...done] }), ...(deferred && { deferred: [...deferred] }) };
    const shown = problems.map((problem) => problemShape.parse(problem));
    if (plan === undefined)
      return {
        structured: { ok: false, problems: shown, ...left },
        text: `the plan has errors:\n${problemText(problems)}`,
      };
    const found = analyzePlan(plan);
    return {
      structured: {
        ok: true,
        problems: shown,
        ...left,
        analysis: {
          name: plan.name,
          tasks: plan.tasks.length,
          readyAtOnce: [...found.ready],
          criticalPath: [...found.criticalPath],
          strategy: `${found.strategy.chosen}: ${found.strategy.reason}`,
          atOnceAtMost: found.width,
        },
      },
    };
  },
});
