import childProcess, { type ChildProcess, type SpawnOptions } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import Database from 'libsql';

/** Git commands that only look: a process that ends at one of them has ended after the last that did more. */
const looking = new Set([
  ...['cat-file', 'diff-files', 'diff-index', 'diff-tree', 'for-each-ref', 'log', 'ls-files'],
  ...['ls-tree', 'merge-base', 'rev-list', 'rev-parse', 'status', 'symbolic-ref', 'var', 'worktree'],
  ...['check-ref-format', 'pack-objects', 'upload-pack', '--version'],
]);

/**
 * Names every step of this process that git or the journal could keep half of, in the order they are met, and ends the
 * process, without a word to anybody, at one of them. Steps are met below the production code: where it starts a
 * program, and where libSQL is told to begin and to commit.
 */
export class KillPoints {
  readonly met: string[] = [];
  private readonly counts = new Map<string, number>();
  private readonly target: string | undefined;
  private readonly killedFile: string;
  private waiting: string[] = [];

  /** `killedFile`: written when the process ends at `target`. */
  constructor(killedFile: string, target?: string) {
    this.killedFile = killedFile;
    this.target = target;
  }

  /** The process is at a step; a step that is met again has a number. */
  meet(what: string, beforeTheEnd: () => void = () => undefined): void {
    const count = (this.counts.get(what) ?? 0) + 1;
    this.counts.set(what, count);
    const name = count === 1 ? what : `${what} (${count})`;
    this.met.push(name);
    if (name !== this.target) return;
    beforeTheEnd();
    writeFileSync(this.killedFile, name);
    process.kill(process.pid, 'SIGKILL');
  }

  /** Every git command on one of these repositories. */
  watchGit(places: readonly string[]): void {
    const spawn = childProcess.spawn as (file: string, args: string[], options: SpawnOptions) => ChildProcess;
    const watched = (file: string, args: string[], options: SpawnOptions): ChildProcess => {
      if (!file.endsWith('/git') || !places.some((place) => isAbout(place, args, options)))
        return spawn(file, args, options);
      if (onlyLooks(args)) return spawn(file, args, options);
      const what = `git ${shownCommand(args)}`;
      this.meet(`${what}: before`);
      const lock = lockOf(args, options);
      if (lock !== undefined) this.meet(`${what}: killed with its lock`, () => leave(lock));
      const child = spawn(file, args, options);
      // A repository that is being made is not taken for one until it has its whole configuration.
      if (commandOf(args) === 'config') return child;
      this.meet(`${what}: begun, git goes on alone`);
      this.meet(`${what}: begun, git ends too`, () => endGroup(child, this.met.length % 5));
      child.once('exit', () => this.meet(`${what}: ended`));
      return child;
    };
    childProcess.spawn = watched as typeof childProcess.spawn;
    syncBuiltinESMExports();
  }

  /** These facts go into the next commit of the journal. */
  appending(kinds: readonly string[]): void {
    this.waiting.push(...kinds);
  }

  /** Every transaction of a journal that is opened from now on; others are those of what lies beside it. */
  watchJournal(): void {
    const exec = Object.getOwnPropertyDescriptor(Database.prototype, 'exec')?.value as Database['exec'];
    const name = (isJournal: boolean): string => {
      if (!isJournal) return 'beside the journal';
      return `journal ${[...new Set(this.waiting)].join(' ') || 'opening'}`;
    };
    const meet = this.meet.bind(this);
    const committed = (): void => {
      this.waiting = [];
    };
    const journals = new WeakSet<Database.Database>();
    Database.prototype.exec = function (this: Database.Database, sql: string) {
      if (sql.includes('synchronous = full')) journals.add(this);
      const isJournal = journals.has(this);
      const what = name(isJournal);
      if (sql === 'begin immediate' || sql === 'commit') meet(`${what}: before ${sql}`);
      const result = exec.call(this, sql);
      if (sql !== 'commit') return result;
      meet(`${what}: after commit`);
      if (isJournal) committed();
      return result;
    };
    type Prepare = (sql: string) => Database.Statement;
    const prepare = Object.getOwnPropertyDescriptor(Database.prototype, 'prepare')?.value as Prepare;
    Database.prototype.prepare = function (this: Database.Database, sql: string) {
      const statement = prepare.call(this, sql);
      if (!sql.startsWith('insert into batches')) return statement;
      const run = statement.run.bind(statement) as (...row: unknown[]) => Database.RunResult;
      // A statement alone is a transaction.
      statement.run = (...row: unknown[]) => {
        if (this.inTransaction) return run(...row);
        const what = name(journals.has(this));
        meet(`${what}: before commit`);
        const result = run(...row);
        meet(`${what}: after commit`);
        committed();
        return result;
      };
      return statement;
    } as Database['prepare'];
  }
}

type Database = Database.Database;

function isAbout(place: string, args: readonly string[], { cwd }: SpawnOptions): boolean {
  return cwd === place || args.some((arg) => arg.includes(place));
}

function onlyLooks(args: readonly string[]): boolean {
  return looking.has(commandOf(args)) || args.includes('--get');
}

function commandOf(args: readonly string[]): string {
  const at = args.findIndex(
    (arg, index) =>
      arg !== '--literal-pathspecs' &&
      !arg.startsWith('--git-dir') &&
      !arg.startsWith('--work-tree') &&
      arg !== '-c' &&
      args[index - 1] !== '-c',
  );
  return args[at] ?? '';
}

/** The command and what it is about, with the same name in every life of the process. */
function shownCommand(args: readonly string[]): string {
  const command = commandOf(args);
  const about = args.slice(args.indexOf(command) + 1).find((arg) => /^(refs\/|HEAD$)/.test(arg));
  const type = args.includes('commit') ? 'commit' : '';
  const run = /demo-[a-z0-9]+/g;
  return [command, type, about?.replace(run, 'RUN').replace(/[0-9a-f]{40}/, 'ID')].filter(Boolean).join(' ');
}

/** As when the machine's memory is gone, or its power: git ends, too, wherever it is by now. */
function endGroup({ pid }: ChildProcess, afterMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, afterMs);
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // It has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The lock that a command begins with, where it has one on something that stays. */
function lockOf(args: readonly string[], { cwd, env }: SpawnOptions): string | undefined {
  const gitDir = args.find((arg) => arg.startsWith('--git-dir='))?.slice('--git-dir='.length);
  const folder = gitDir ?? join(String(cwd), '.git');
  const command = commandOf(args);
  if (command === 'update-ref') {
    const ref = args.slice(args.indexOf(command)).find((arg) => arg.startsWith('refs/'));
    return ref === undefined ? undefined : join(folder, `${ref}.lock`);
  }
  const isIndex = command === 'read-tree' || command === 'update-index';
  return isIndex && env?.['GIT_INDEX_FILE'] === undefined ? join(folder, 'index.lock') : undefined;
}

function leave(lock: string): void {
  mkdirSync(dirname(lock), { recursive: true });
  writeFileSync(lock, '');
}
