import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commitId, peerId, type AttemptKey, type CommitId, type TaskAssignment } from '@switchyard/protocol';
import { openObjectCache, type ObjectCache } from '@switchyard/repo';
import { silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import { openOutbox } from '@switchyard/store';
import { createLink, type Dial, type Link } from '@switchyard/transport';

/** Where a worker's reports that were acknowledged are written down, a line each, at once. */
export const acknowledgedFile = 'acknowledged.ndjson';

const logger = silentLogger();

export interface StepWorkerOptions {
  readonly folder: string;
  readonly gitUrl: string;
  readonly dial: Dial;
}

/**
 * A worker with a real link, outbox and object cache, whose attempts are one file each. What it holds is on its disk, so
 * that it goes on after its end as a worker does that was not the one to be killed.
 */
export class StepWorker {
  readonly link: Link;
  private readonly folder: string;
  private readonly cache: ObjectCache;
  private readonly held: Map<number, TaskAssignment>;
  private readonly sent = new Map<string, AttemptKey>();

  static async start(options: StepWorkerOptions): Promise<StepWorker> {
    const cache = await openObjectCache({
      folder: join(options.folder, 'cache'),
      url: options.gitUrl,
      token: () => 'worker',
      logger,
      sandbox: () => Promise.reject(new Error('nothing is run here')),
    });
    return new StepWorker(options, cache);
  }

  private constructor({ folder, dial }: StepWorkerOptions, cache: ObjectCache) {
    this.folder = folder;
    this.cache = cache;
    this.held = new Map(readHeld(folder).map((assignment) => [assignment.fence, assignment]));
    this.link = createLink({
      self: peerId.parse('worker-1'),
      hello: () => ({
        role: 'worker',
        version: '0.1.0',
        host: 'test',
        pid: process.pid,
        labels: [],
        slots: 2,
        specializations: [],
        holding: [...this.held.values()].map(attemptOf),
        reviewing: [],
      }),
      dial,
      clock: systemClock,
      random: systemRandom,
      logger,
      outbox: openOutbox({ file: join(folder, 'outbox'), logger }),
      handler: {
        welcome: ({ fenced }) => fenced.forEach((attempt) => this.drop(attempt.fence)),
        message: (envelope) => {
          if (envelope.type === 'task-assignment') this.take(envelope.payload);
          if (envelope.type === 'ack') envelope.payload.of.forEach((id) => this.acknowledged(id));
        },
        fatal: fail,
      },
    });
    this.link.start();
    // Reports that its outbox has are sent again by the link; all else is done again.
    this.link
      .whenConnected()
      .then(() => this.goOn())
      .catch(fail);
  }

  async close(): Promise<void> {
    await this.link.close();
    await this.cache.close();
  }

  private async goOn(): Promise<void> {
    for (const assignment of this.held.values()) await this.carryOut(assignment);
  }

  private take(assignment: TaskAssignment): void {
    this.link.send('task-accepted', attemptOf(assignment));
    if (this.held.has(assignment.fence)) return;
    this.held.set(assignment.fence, assignment);
    writeHeld(this.folder, [...this.held.values()]);
    this.carryOut(assignment).catch(fail);
  }

  private async carryOut(assignment: TaskAssignment): Promise<void> {
    const { base, run, taskId, fence } = assignment;
    await this.cache.fetch([base]);
    const gitDir = join(this.folder, 'cache', 'sha1.git');
    const commit = commitOf(gitDir, assignment);
    await this.cache.push(`refs/switchyard/attempts/${run}/${taskId}/${fence}`, commit);
    const id = this.link.send('task-completed', {
      ...attemptOf(assignment),
      result: 'done',
      filesModified: [`${taskId}/index.ts`],
      testsPass: true,
      acceptanceCriteria: {},
      evidence: {
        commit,
        base,
        filesChanged: [],
        receipts: [],
        sandbox: 'none',
        worker: peerId.parse('worker-1'),
        startedAt: 1,
        finishedAt: 2,
      },
    });
    this.sent.set(id, attemptOf(assignment));
  }

  private acknowledged(id: string): void {
    const attempt = this.sent.get(id);
    if (attempt === undefined) return;
    appendFileSync(join(this.folder, acknowledgedFile), `${JSON.stringify(attempt)}\n`);
    this.drop(attempt.fence);
  }

  private drop(fence: number): void {
    this.held.delete(fence);
    writeHeld(this.folder, [...this.held.values()]);
  }
}

/** A commit of one file; the same assignment gives the same one. */
function commitOf(gitDir: string, { base, taskId }: TaskAssignment): CommitId {
  const env = {
    PATH: process.env['PATH'],
    GIT_DIR: gitDir,
    GIT_INDEX_FILE: join(gitDir, `index-${taskId}`),
    GIT_CONFIG_GLOBAL: '/dev/null',
    ...Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap((who) => [
        [`GIT_${who}_NAME`, 'Worker'],
        [`GIT_${who}_EMAIL`, 'worker@example.org'],
        [`GIT_${who}_DATE`, '1700000000 +0000'],
      ]),
    ),
  };
  const git = (args: string[], input = ''): string =>
    execFileSync('git', args, { env, input, encoding: 'utf8' }).trim();
  git(['read-tree', base]);
  const blob = git(['hash-object', '-w', '--stdin'], `export const name = '${taskId}';\n`);
  git(['update-index', '--add', '--cacheinfo', `100644,${blob},${taskId}/index.ts`]);
  return commitId.parse(git(['commit-tree', git(['write-tree']), '-p', base, '-m', `write ${taskId}`]));
}

function attemptOf({ run, taskId, attempt, fence }: AttemptKey): AttemptKey {
  return { run, taskId, attempt, fence };
}

function readHeld(folder: string): TaskAssignment[] {
  const file = join(folder, 'held.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as TaskAssignment[]) : [];
}

function writeHeld(folder: string, held: readonly TaskAssignment[]): void {
  const file = join(folder, 'held.json');
  writeFileSync(`${file}.new`, JSON.stringify(held));
  renameSync(`${file}.new`, file);
}

function fail(error: unknown): never {
  process.stderr.write(`the worker cannot go on: ${String(error)}\n`);
  process.exit(3);
}
