import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@switchyard/client';
import { peerId, type Plan } from '@switchyard/protocol';
import { openLog, ownProcess, systemClock, systemRandom, type Logger } from '@switchyard/runtime';
import { openLibsqlJournal } from '@switchyard/store';
import { buildPlan, buildTask } from '@switchyard/testkit';
import { createHub, createLink, listen, memoryPair, type Hub } from '@switchyard/transport';
import { Orchestrator } from '../../apps/orchestrator/src/daemon.ts';
import type { LoopFigures, LoopRequest } from './bare-loop.ts';
import { benchPorts, noReports, type Ports } from './bench-ports.ts';

/**
 * The same work through the real orchestrator: its loop, scheduler, hub over WebSocket, libSQL journal, metrics and
 * log. Git, verification, reports and local instances are replaced at their ports, and the workers carry nothing out: a
 * task of kind `verify` hands in no commit. Timed from the moment a client submits the plan until the journal has the
 * end of the run, so reading the plan is in it.
 */
export async function runOurLoop(request: LoopRequest): Promise<LoopFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-ours-'));
  const closers: (() => unknown)[] = [() => rmSync(folder, { recursive: true })];
  try {
    return await run(request, folder, closers);
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

async function run(request: LoopRequest, folder: string, closers: (() => unknown)[]): Promise<LoopFigures> {
  const log = await openLog({ daemon: 'orchestrator', level: 'info', folder, stdout: false });
  closers.push(() => log.close());
  let commits = 0;
  let finish: () => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const finished = new Promise<void>((resolve, reject) => ([finish, fail] = [resolve, reject]));
  const journal = openLibsqlJournal({
    file: join(folder, 'journal.db'),
    logger: log.logger,
    onCommit: () => (commits += 1),
  });
  closers.push(() => journal.close());
  const daemon = new Orchestrator(portsOf({ logger: log.logger, journal, finish, fatal: fail }));
  daemon.restore();
  closers.push(() => daemon.stop());
  const hub = createHub({
    self: peerId.parse('orchestrator'),
    hubName: folder,
    version: '0.1.0',
    clock: systemClock,
    random: systemRandom,
    logger: log.logger,
    handler: daemon.handler,
  });
  closers.push(() => hub.close());
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    request: (_request, response) => response.end(),
    hub,
    authenticate: (_token, lane) => Promise.resolve({ roles: ['worker'], lane }),
  });
  closers.push(() => listener.close());
  daemon.start(hub);
  const workers = await startWorkers({ url: listener.url, folder, slots: request.slots, fail });
  closers.push(() => workers.forEach((worker) => worker.kill()));
  const plan = planOf(request);
  const before = commits;
  const spent = stopwatch();
  await submit(hub, log.logger, plan);
  const submission = spent();
  await finished;
  return { tasks: request.tasks, ...spent(), commits: commits - before, submission };
}

/** What has passed on the wall and on all cores of this process since. */
function stopwatch(): () => LoopFigures['submission'] {
  const cpu = process.cpuUsage();
  const at = performance.now();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { wallMs: performance.now() - at, cpuMs: (user + system) / 1000 };
  };
}

interface PortParts {
  readonly logger: Logger;
  readonly journal: Ports['journal'];
  readonly finish: () => void;
  readonly fatal: (error: unknown) => void;
}

function portsOf({ logger, journal, finish, fatal }: PortParts): Ports {
  return benchPorts({
    logger,
    journal,
    reports: {
      ...noReports,
      write: ({ view }) => {
        if (view.phase === 'completed') finish();
        else fatal(new Error(`the run ended as ${view.phase}: ${view.reason ?? 'no reason given'}`));
        return Promise.resolve({ markdown: '', html: '', json: '' });
      },
    },
    fatal,
    stop: (reason) => fatal(new Error(`the orchestrator was stopped: ${reason}`)),
  });
}

interface WorkerRequest {
  readonly url: string;
  readonly folder: string;
  readonly slots: number;
  readonly fail: (error: unknown) => void;
}

/** Two worker processes, connected. */
function startWorkers({ url, folder, slots, fail }: WorkerRequest): Promise<ChildProcess[]> {
  return Promise.all(
    ['worker-1', 'worker-2'].map((name) => {
      const { entry, execArgv } = ownProcess(new URL('./our-worker.ts', import.meta.url));
      const worker = fork(entry, [url, folder, name, String(slots)], { execArgv: [...execArgv] });
      return new Promise<ChildProcess>((resolve, reject) => {
        const ended = (why: unknown): void => {
          fail(why);
          reject(why instanceof Error ? why : new Error(String(why)));
        };
        worker.once('message', () => resolve(worker));
        worker.once('error', ended);
        worker.once('exit', (code) => ended(new Error(`${name} ended with ${code}`)));
      });
    }),
  );
}

function planOf({ tasks, slots, chain }: LoopRequest): Plan {
  const list = Array.from({ length: tasks }, (_, index) =>
    buildTask({ id: `t${index}`, kind: 'verify', dependsOn: chain && index > 0 ? [`t${index - 1}`] : [] }),
  );
  return buildPlan(list, { limits: { workers: slots * 2, rpm: 3800 } });
}

async function submit(hub: Hub, logger: Logger, plan: Plan): Promise<void> {
  const link = createLink({
    self: peerId.parse('client'),
    hello: () => ({
      role: 'client',
      version: '0.1.0',
      host: 'bench',
      pid: process.pid,
      labels: [],
      slots: 0,
      specializations: [],
      holding: [],
      reviewing: [],
    }),
    dial: (lane) => {
      const [ours, theirs] = memoryPair();
      hub.accept(theirs, { roles: ['client'], lane, credential: 'operator' });
      return Promise.resolve(ours);
    },
    clock: systemClock,
    random: systemRandom,
    logger,
    handler: {
      message: () => undefined,
      fatal: (error) => {
        throw error;
      },
    },
  });
  link.start();
  await link.whenConnected();
  await createClient(link).submit(plan);
  await link.close();
}
