import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commitId, fence, peerId, runId, taskId, type CommitId } from '@switchyard/protocol';
import { discoverRepository, openRunRepository, type RunRepository } from '@switchyard/repo';
import { silentLogger } from '@switchyard/runtime';
import { decide, evolve, factVersion, type RunInput, type RunState } from '@switchyard/scheduler';
import { openLibsqlJournal, type Journal, type NewFact } from '@switchyard/store';
import { buildPlan, buildTask } from '@switchyard/testkit';
import pc from 'picocolors';
import { readEnvironment } from '@switchyard/access';
import { buildProgram } from '../src/program.ts';

type Undated = RunInput extends infer I ? (I extends { at: number } ? Omit<I, 'at'> : never) : never;
const task = taskId.parse('the docs');
const worker = peerId.parse('w1');

/** A repository and its state folder as an orchestrator left them, with runs whose attempts left something behind. */
export class KeptState {
  readonly root: string = mkdtempSync(join(tmpdir(), 'switchyard-kept-'));
  readonly folder: string = join(this.root, 'project');
  readonly state: string = join(this.root, 'state');
  base = commitId.parse('0'.repeat(40));
  private repository: RunRepository | undefined;
  private journal: Journal | undefined;

  async open(): Promise<this> {
    mkdirSync(this.folder);
    mkdirSync(this.state);
    this.git('init', '-q', '-b', 'main');
    writeFileSync(join(this.folder, 'a.txt'), 'one\n');
    this.git('add', '.');
    this.git('commit', '-q', '-m', 'begin');
    this.journal = openLibsqlJournal({ file: join(this.state, 'journal.db'), logger: silentLogger() });
    this.repository = await openRunRepository({
      gitDir: join(this.state, 'repository.git'),
      user: await discoverRepository(this.folder),
      logger: silentLogger(),
    });
    this.base = await this.repository.resolveBase();
    return this;
  }

  /** A run of one task whose first attempt was lost at `at`, with work in progress, and a late result after it. */
  async run(name: string, at: number, end?: 'cancelled'): Promise<void> {
    const { repository, journal, base } = this;
    if (repository === undefined || journal === undefined) throw new Error('not open');
    const run = runId.parse(name);
    const kept = { run, taskId: task, fence: 1 };
    const wip = this.commit('half\n');
    const salvage = this.commit('whole\n');
    const about = { taskId: task, fence: fence.parse(1) };
    const offer = { kind: 'offer', offers: [{ worker, labels: [], freeSlots: 1 }] } as const;
    const inputs: Undated[] = [
      { kind: 'create', run, plan: buildPlan([buildTask({ id: task, more: { retries: 5 } })]), base },
      { kind: 'start' },
      offer,
      { kind: 'accepted', ...about },
      {
        kind: 'wip-kept',
        ...about,
        wip: { commit: wip, ref: await repository.pinWip({ ...kept, commit: wip }) },
      },
      { kind: 'lost', ...about, reason: 'no contact for 60 s' },
      {
        kind: 'salvaged',
        ...about,
        salvage: { commit: salvage, ref: await repository.pinSalvage({ ...kept, commit: salvage }) },
      },
      ...(end === undefined ? [] : [{ kind: 'cancel', reason: 'enough' } as const]),
    ];
    await journal.append(run, at, factsOf(inputs, at));
  }

  /** All refs below a prefix of the private repository. */
  refs(prefix: string): string[] {
    const out = this.git(
      '--git-dir',
      join(this.state, 'repository.git'),
      'for-each-ref',
      '--format=%(refname)',
      prefix,
    );
    return out.split('\n').filter(Boolean);
  }

  git(...args: string[]): string {
    const author = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
    return execFileSync('git', [...author, ...args], { cwd: this.folder, encoding: 'utf8' }).trim();
  }

  /** Runs one command in this process. Rejects with what it throws. */
  async switchyard(
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<{ out: string; err: string }> {
    const texts = { out: '', err: '' };
    const program = buildProgram({
      terminal: {
        out: (text) => (texts.out += text),
        err: (text) => (texts.err += text),
        isScreen: false,
        columns: () => 120,
        rows: () => 40,
        paint: pc.createColors(false),
      },
      environment: readEnvironment({ HOME: this.root, ...env }),
      cwd: this.folder,
      end: () => undefined,
    });
    await program.parseAsync([...args, '--state', this.state], { from: 'user' });
    return texts;
  }

  async close(): Promise<void> {
    await this.journal?.close();
    rmSync(this.root, { recursive: true, force: true });
  }

  private commit(text: string): CommitId {
    const gitDir = join(this.state, 'repository.git');
    const env = { ...process.env, GIT_DIR: gitDir, GIT_INDEX_FILE: join(this.root, 'index') };
    const git = (input: string, ...args: string[]): string =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
        env,
        input,
        encoding: 'utf8',
      }).trim();
    git('', 'read-tree', this.base);
    const blob = git(text, 'hash-object', '-w', '--stdin');
    git('', 'update-index', '--add', '--cacheinfo', `100644,${blob},the docs/index.md`);
    return commitId.parse(git('', 'commit-tree', git('', 'write-tree'), '-p', this.base, '-m', 'attempt'));
  }
}

function factsOf(inputs: readonly Undated[], at: number): NewFact[] {
  let state: RunState | undefined;
  return inputs.flatMap((input) => {
    const facts = decide(state, { ...input, at } as RunInput);
    for (const fact of facts) state = evolve(state, fact);
    return facts.map((fact) => ({ kind: fact.kind, version: factVersion, data: fact }));
  });
}
