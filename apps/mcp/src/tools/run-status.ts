import { z } from 'zod';
import { runArgument, workerArgument } from '../arguments.ts';
import { runShape, shapeOfRun, textOfRun } from '../run-shape.ts';
import { defineTool } from '../tool.ts';

const summary = z.object({ run: z.string(), name: z.string(), phase: z.string(), progress: z.string() });
/** Runs listed, newest first. */
const runsShown = 50;

/** Where a run stands. */
export const runStatus = defineTool({
  name: 'run_status',
  title: 'Show a run',
  description:
    'Shows where a run and each of its tasks stand, and what waits for an answer (gate_approve, gate_reject, answer_escalation), without waiting. Also lists all runs. To wait for news, call run_wait instead of calling this again and again.',
  input: z.object({ run: runArgument, workerId: workerArgument }),
  output: z.object({ status: runShape.optional(), runs: z.array(summary) }),
  changes: false,
  run: (args, { desk }) =>
    desk.station.look(async (client) => {
      const runs = await client.runs();
      const listed = runs.toReversed().slice(0, runsShown);
      const structured = {
        runs: listed.map(({ run, name, phase, progress }) => ({
          run,
          name,
          phase,
          progress: `${progress.completed}/${progress.total}`,
        })),
      };
      const meant = desk.meant(runs, args);
      if (meant === undefined)
        return { structured, text: runs.length === 0 ? 'there are no runs yet' : JSON.stringify(structured) };
      const status = shapeOfRun(await client.run(meant));
      return { structured: { ...structured, status }, text: textOfRun(status) };
    }),
});
