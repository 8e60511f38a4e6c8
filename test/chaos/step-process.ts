import { appendFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@switchyard/client';
import { messageOf, peerId, runId, taskId } from '@switchyard/protocol';
import { silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import { buildPlan, buildTask } from '@switchyard/testkit';
import { createLink, memoryPair, type Dial, type Hub, type Link } from '@switchyard/transport';
import { KillPoints } from './kill-points.ts';
import { startDaemon } from './step-daemon.ts';
import { StepWorker } from './step-worker.ts';

/**
 * One life of an orchestrator, a worker and a user: submits a plan of two tasks unless a run is there, waits for its
 * end, takes the second task off the run branch again, applies what is left, and ends; or is killed at the step that it is told.
 */
const [folder = '', target] = process.argv.slice(2);
const [repository, state] = [join(folder, 'repository'), join(folder, 'state')];
const points = new KillPoints(join(folder, 'killed'), target);
points.watchGit([repository, state]);
points.watchJournal();

const daemon = await startDaemon({
  repository,
  state,
  fatal: (error) => {
    process.stderr.write(`the orchestrator cannot go on: ${String(error)}\n`);
    process.exit(3);
  },
  appending: (kinds) => points.appending(kinds),
});
const worker = await StepWorker.start({
  folder: join(folder, 'worker'),
  gitUrl: daemon.gitUrl,
  dial: diallerOf(daemon.hub, 'worker'),
});
const link = clientLink(daemon.hub);
await link.whenConnected();
const client = createClient(link);
const run = (await client.runs())[0]?.run ?? (await submit());
tell('submitted', run);
await ended(run);
await rolledBack('b');
tell('applied', await apply());
await link.close();
await worker.close();
await daemon.close();
writeFileSync(join(folder, 'points.json'), JSON.stringify(points.met));
process.exit(0);

function submit(): Promise<string> {
  const tasks = [buildTask({ id: 'a' }), buildTask({ id: 'b', dependsOn: ['a'] })];
  return client.submit(buildPlan(tasks, { verify: { run: ['look'], when: 'batch', timeoutMs: 60_000 } }));
}

/** Takes a task off the run branch; a life that comes after asks again, unless that is done or goes on by itself. */
async function rolledBack(id: string): Promise<void> {
  for (;;) {
    const phase = (await client.run(run)).tasks.find((task) => task.id === id)?.phase;
    if (phase === 'rolled-back') return;
    try {
      await client.rollback({
        run: runId.parse(run),
        taskId: taskId.parse(id),
        withDependants: false,
        reason: '',
      });
    } catch (error) {
      if (!/is being rolled back already|rolled-back/.test(messageOf(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** Does what a refusal says: removes the lock that it names. */
async function apply(): Promise<string> {
  try {
    return (await client.apply(run)).commit;
  } catch (error) {
    const [lock] = /\S+\.lock(?=\. If no git runs)/.exec(messageOf(error)) ?? [];
    if (lock === undefined) throw error;
    rmSync(lock);
    return apply();
  }
}

/** The run has ended and what is to be done at its end is done. */
async function ended(id: string): Promise<void> {
  for (;;) {
    if (existsSync(join(state, 'runs', id, 'report.json'))) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What the user was told. */
function tell(what: string, about: string): void {
  appendFileSync(join(folder, 'told.ndjson'), `${JSON.stringify({ what, about })}\n`);
}

function diallerOf(hub: Hub, role: 'worker' | 'client'): Dial {
  return (lane) => {
    const [ours, theirs] = memoryPair();
    hub.accept(theirs, { roles: [role], lane, credential: 'operator' });
    return Promise.resolve(ours);
  };
}

function clientLink(hub: Hub): Link {
  const made = createLink({
    self: peerId.parse('user'),
    hello: () => ({
      role: 'client',
      version: '0.1.0',
      host: 'test',
      pid: process.pid,
      labels: [],
      slots: 0,
      specializations: [],
      holding: [],
      reviewing: [],
    }),
    dial: diallerOf(hub, 'client'),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger(),
    handler: {
      message: () => undefined,
      fatal: (error) => {
        throw error;
      },
    },
  });
  made.start();
  return made;
}
