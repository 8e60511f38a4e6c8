import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, peerId, type Receipt, type RunReport } from '@switchyard/protocol';
import { Archivist, ProjectionChore, SnapshotChore } from '@switchyard/history';
import { discoverRepository, gitHttpHandler, openRunRepository, type RunRepository } from '@switchyard/repo';
import {
  createMetrics,
  openStateFolder,
  silentLogger,
  systemClock,
  systemRandom,
  type StateFolder,
} from '@switchyard/runtime';
import { openLibsqlJournal, type Journal, type ShelvedJournal } from '@switchyard/store';
import { createHub, type Hub } from '@switchyard/transport';
import { Orchestrator } from '../../apps/orchestrator/src/daemon.ts';

type Ports = ConstructorParameters<typeof Orchestrator>[0];
type Verifier = Ports['verifier'];
type Reports = Ports['reports'];

const logger = silentLogger();

export interface StepDaemonOptions {
  readonly repository: string;
  readonly state: string;
  readonly fatal: (error: unknown) => void;
  /** Tells what waits for the next commit of the journal. */
  readonly appending: (kinds: readonly string[]) => void;
}

/** The orchestrator's production loop on the real journal and the real repositories, without processes of its own. */
export interface StepDaemon {
  readonly hub: Hub;
  readonly gitUrl: string;
  close(): Promise<void>;
}

export async function startDaemon(options: StepDaemonOptions): Promise<StepDaemon> {
  const folder = openStateFolder(options.state);
  const user = await discoverRepository(options.repository);
  const journal = openLibsqlJournal({ file: folder.journalFile, logger });
  const repository = await openRunRepository({ gitDir: folder.gitDir, user, logger });
  const daemon = new Orchestrator(portsOf(options, { folder, journal, repository }));
  daemon.restore();
  const hub = createHub({
    self: peerId.parse('orchestrator'),
    hubName: folder.root,
    version: '0.1.0',
    clock: systemClock,
    random: systemRandom,
    logger,
    handler: daemon.handler,
  });
  const server = createServer(
    gitHttpHandler({ gitDir: folder.gitDir, authorize: () => ({ peer: 'worker-1', push: true }), logger }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  daemon.start(hub);
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await hub.close();
    await daemon.stop();
    await journal.close();
  };
  return { hub, gitUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/git`, close };
}

interface Stores {
  readonly folder: StateFolder;
  readonly journal: ShelvedJournal;
  readonly repository: RunRepository;
}

function portsOf({ fatal, appending }: StepDaemonOptions, { folder, journal, repository }: Stores): Ports {
  const { shelf, name } = journal;
  const [file, clock] = [folder.projectionsFile, systemClock];
  const chores = [
    new SnapshotChore({ shelf, logger, clock }),
    new ProjectionChore({ file, journal: name, logger, clock }),
  ];
  return {
    clock: systemClock,
    random: systemRandom,
    logger,
    metrics: createMetrics(),
    journal: watched(journal, appending),
    snapshots: journal.shelf,
    archivist: new Archivist({ clock: systemClock, chores }),
    repository,
    verifier: verifierOf(repository, folder.checkouts),
    instances: {
      want: () => undefined,
      arrived: () => false,
      leaving: () => undefined,
      isLocal: () => false,
      stalled: () => undefined,
      hindrance: () => 'none are started here',
      starting: () => [],
      terminate: () => false,
      cleanup: () => Promise.resolve(),
    },
    reports: reportsIn(folder.runs),
    logs: {
      open: () => Promise.resolve({ lines: [], close: () => undefined }),
      receive: () => undefined,
    },
    door: {
      url: '',
      invite: () => {
        throw new AppError('E_BIND_INSECURE', 'nobody is invited here');
      },
      revoke: () => false,
    },
    settings: {
      leaseGraceMs: 30_000,
      deadShownMs: 3_600_000,
      heartbeatIntervalMs: 2_000,
      ephemeral: false,
      version: '0.1.0',
      hubName: folder.root,
      sandbox: 'none',
    },
    fatal,
    stop: (reason) => fatal(new Error(reason)),
  };
}

function watched(journal: Journal, appending: StepDaemonOptions['appending']): Journal {
  return {
    append: (stream, at, facts) => {
      appending(facts.map(({ kind }) => kind));
      return journal.append(stream, at, facts);
    },
    read: (options) => journal.read(options),
    streams: () => journal.streams(),
    close: () => journal.close(),
  };
}

/** Checks the merged result out and looks whether every task's file that is in it is whole. */
function verifierOf(repository: RunRepository, checkouts: string): Verifier {
  return {
    verify: async ({ commit, plan }) => {
      mkdirSync(checkouts, { recursive: true });
      const folder = mkdtempSync(join(checkouts, 'verify-'));
      await repository.checkout(commit, folder);
      const files = plan.tasks
        .map(({ id }) => join(folder, id, 'index.ts'))
        .filter((file) => existsSync(file));
      const passed = files.length > 0 && files.every((file) => readFileSync(file, 'utf8').endsWith(';\n'));
      rmSync(folder, { recursive: true });
      const receipt: Receipt = {
        criterion: 'files are whole',
        command: 'look',
        commit,
        exitCode: passed ? 0 : 1,
        ended: 'exited',
        durationMs: 1,
        startedAt: 1,
        outputTail: '',
        truncated: false,
      };
      return { passed, receipts: [receipt] };
    },
  };
}

function reportsIn(runs: string): Reports {
  const files = (run: string) => ({ markdown: '', html: '', json: join(runs, run, 'report.json') });
  return {
    write: (report: RunReport) => {
      const { json } = files(report.view.run);
      mkdirSync(join(runs, report.view.run), { recursive: true });
      writeFileSync(`${json}.new`, JSON.stringify(report));
      renameSync(`${json}.new`, json);
      return Promise.resolve(files(report.view.run));
    },
    writeCase: () => Promise.reject(new Error('no task is parked here')),
    transcriptOf: () => undefined,
    find: (run) => (existsSync(files(run).json) ? files(run) : undefined),
    drop: (run) => {
      rmSync(files(run).json, { force: true });
      return Promise.resolve();
    },
  };
}
