import type { SwitchyardClient } from '@switchyard/client';
import { z } from 'zod';
import { defineTool } from '../tool.ts';
import { workerIdOf } from '@switchyard/protocol';

const holding = z.object({
  run: z.string(),
  taskId: z.string(),
  workerId: z.string(),
  phase: z.string(),
});
const peer = z.object({
  peer: z.string(),
  role: z.string(),
  state: z.string(),
  host: z.string(),
  slots: z.number(),
  busy: z.number(),
  labels: z.array(z.string()),
  reason: z.string().optional(),
  holds: z.array(holding),
});

const inWork: ReadonlySet<string> = new Set(['leased', 'preparing', 'running']);

/** The fleet, and what each of it has in work. */
export const listWorkers = defineTool({
  name: 'list_workers',
  title: 'List workers',
  description:
    'Lists the processes of the fleet (workers and reviewers): whether each is idle, busy or lost, and which tasks it has in work. Use it to see why tasks wait, or how many more could run at once.',
  input: z.object({}),
  output: z.object({ orchestrator: z.string(), peers: z.array(peer) }),
  changes: false,
  run: (_args, { desk }) =>
    desk.station.look(async (client) => {
      const [fleet, held] = await Promise.all([client.fleet(), heldTasks(client)]);
      return {
        structured: {
          orchestrator: fleet.url,
          peers: fleet.peers.map(({ peer: name, role, state, host, slots, busy, labels, reason }) => ({
            ...{ peer: name, role, state, host, slots, busy, labels },
            ...(reason !== undefined && { reason }),
            holds: held.filter(({ worker }) => worker === name).map(({ task }) => task),
          })),
        },
      };
    }),
});

async function heldTasks(
  client: SwitchyardClient,
): Promise<{ worker: string | undefined; task: z.infer<typeof holding> }[]> {
  const open = (await client.runs()).filter(({ phase }) => phase === 'running');
  const views = await Promise.all(open.map(({ run }) => client.run(run)));
  return views.flatMap(({ run, tasks }) =>
    tasks
      .filter(({ phase }) => inWork.has(phase))
      .map(({ id, phase, worker }) => ({
        worker,
        task: { run, taskId: id, workerId: workerIdOf(run, id), phase },
      })),
  );
}
