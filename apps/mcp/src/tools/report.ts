import { z } from 'zod';
import { runArgument } from '../arguments.ts';
import { reportText } from '../report-text.ts';
import { defineTool } from '../tool.ts';

/** A report longer than this is cut; the whole is a resource. */
const reportLength = 100_000;

/** The report of a run. */
export const report = defineTool({
  name: 'report',
  title: 'Read the report of a run',
  description:
    'The report of a run, finished or not: what each task did, reviews with findings, verification, where time went, and how to take the result. Read it before you tell your user that the work is done. format json is the whole model.',
  input: z.object({ run: runArgument, format: z.enum(['markdown', 'json']).default('markdown') }),
  output: z.object({ run: z.string(), format: z.string(), report: z.string(), truncated: z.boolean() }),
  changes: false,
  run: ({ run: name, format }, { desk }) =>
    desk.station.look(async (client) => {
      const run = await desk.run(client, { run: name });
      const whole = await reportText((await client.report(run)).report, format);
      const text = whole.slice(0, reportLength);
      return { structured: { run, format, report: text, truncated: text.length < whole.length }, text };
    }),
});
