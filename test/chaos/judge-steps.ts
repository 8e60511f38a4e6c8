import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareProjections, recover } from '@switchyard/history';
import type { AttemptKey } from '@switchyard/protocol';
import { silentLogger } from '@switchyard/runtime';
import type { RunFact } from '@switchyard/scheduler';
import { inspectJournal, openJournalReader } from '@switchyard/store';
import { factsOf, readRunFacts } from './journal-facts.ts';
import { acknowledgedFile } from './step-worker.ts';

const tasks = ['a', 'b'];

/** What a place looks like after its last process has ended, seen with plain git and SQLite. */
interface Sight {
  readonly folder: string;
  readonly run: string;
  readonly facts: readonly RunFact[];
  readonly git: (where: 'repository' | 'private', ...args: string[]) => string;
}

/** The tree of the user's head. */
export function treeOf(folder: string): string {
  return gitIn(folder)('repository', 'rev-parse', 'HEAD^{tree}');
}

/** What is wrong with what a life left that has ended well; `tree`: what the user's head has to have. */
export function judgeLife(folder: string, tree?: string): string[] {
  const runs = readdirSync(join(folder, 'state', 'runs'));
  const [run] = runs;
  if (runs.length !== 1 || run === undefined) return [`there are ${runs.length} runs`];
  const sight = { folder, run, facts: readRunFacts(join(folder, 'state'), run), git: gitIn(folder) };
  return [
    ...judgeIntegrations(sight),
    ...judgeRollback(sight),
    ...judgeUser(sight, tree),
    ...judgeTold(sight),
    ...judgeLeftOver(sight),
    ...judgeProjections(folder),
    ...inspectJournal(join(folder, 'state', 'journal.db'), { inUse: false })
      .filter(({ state }) => state === 'wrong')
      .map(({ name, text }) => `${name}: ${text}`),
  ];
}

/** Each task is on the branch once, by the commit that was accepted, and is completed once. */
function judgeIntegrations({ run, facts, git }: Sight): string[] {
  const format = '--format=%(trailers:key=Switchyard-Task,valueonly,separator=%x2C)%x09%P';
  const base = factsOf(facts, 'run-created').map((fact) => fact.base)[0] ?? '';
  const branch = `switchyard/${run}`;
  const merges = git('private', 'log', '--first-parent', format, `${base}..${branch}`)
    .split('\n')
    .filter(Boolean);
  return tasks.flatMap((id) => {
    const mine = merges.filter((line) => line.startsWith(`${id}\t`));
    const accepted = factsOf(facts, 'task-accepted-for-merge').findLast(({ taskId }) => taskId === id);
    const moved = factsOf(facts, 'branch-moved')
      .flatMap(({ merged }) => merged)
      .filter(({ taskId }) => taskId === id);
    const completed = factsOf(facts, 'task-completed').filter(({ taskId }) => taskId === id);
    const counts = [mine.length, moved.length, completed.length];
    return [
      ...(counts.every((count) => count === 1)
        ? []
        : [`${id}: merges, moves, completions are ${counts.join(', ')}`]),
      ...(mine[0]?.split(' ').at(-1) === accepted?.accepted.commit
        ? []
        : [`${id}: another commit was merged`]),
    ];
  });
}

/** The second task was taken off the branch once, whole, and the first is still there. */
function judgeRollback({ run, facts, git }: Sight): string[] {
  const branch = `switchyard/${run}`;
  const trailer = '--format=%(trailers:key=Switchyard-Rollback,valueonly,separator=%x2C)';
  const commits = git('private', 'log', '--first-parent', trailer, branch).split('\n').filter(Boolean);
  const files = git('private', 'ls-tree', '-r', '--name-only', branch).split('\n');
  const told = factsOf(facts, 'task-rolled-back').map((fact) => fact.taskId);
  return [
    ...(commits.join() === 'b' ? [] : [`commits that roll back: ${commits.join(', ') || 'none'}`]),
    ...(told.join() === 'b' ? [] : [`tasks said to be rolled back: ${told.join(', ') || 'none'}`]),
    ...(files.some((file) => file.startsWith('b/')) ? ['what was rolled back is on the branch'] : []),
    ...(files.some((file) => file.startsWith('a/')) ? [] : ['what was not rolled back is gone']),
  ];
}

/** The user's checkout has the run, all of it, and what was theirs. */
function judgeUser({ folder, run, git }: Sight, tree: string | undefined): string[] {
  const tip = git('private', 'rev-parse', `switchyard/${run}`);
  const refs = ['refs/heads/main', `refs/heads/switchyard/${run}`, `refs/switchyard/runs/${run}`];
  const found = refs.map((ref) => [ref, git('repository', 'for-each-ref', '--format=%(objectname)', ref)]);
  const status = git('repository', 'status', '--porcelain', '--untracked-files=all');
  return [
    ...found.filter(([, at]) => at !== tip).map(([ref, at]) => `the user's ${ref} is ${at}, not ${tip}`),
    ...(status === '?? mine.txt' ? [] : [`the user's status is ${status}`]),
    ...(tree === undefined || tree === treeOf(folder)
      ? []
      : [`the user's tree is not that of the undisturbed run`]),
  ];
}

/** What was acknowledged or answered is there, and was not done again. */
function judgeTold({ folder, run, facts }: Sight): string[] {
  const acknowledged = linesOf(join(folder, 'worker', acknowledgedFile)) as AttemptKey[];
  const told = linesOf(join(folder, 'told.ndjson')) as { what: string; about: string }[];
  const submitted = factsOf(facts, 'task-submitted');
  const leased = factsOf(facts, 'task-leased');
  return [
    ...acknowledged.flatMap(({ taskId, fence }) => [
      ...(submitted.some((fact) => fact.taskId === taskId && fact.fence === fence)
        ? []
        : [`${taskId}: the report with fence ${fence} was acknowledged and is lost`]),
      ...(leased.some((fact) => fact.taskId === taskId && fact.lease.fence > fence)
        ? [`${taskId} was given out again after its report was acknowledged`]
        : []),
    ]),
    ...told
      .filter(({ what, about }) => what === 'submitted' && about !== run)
      .map(({ about }) => `the run ${about} was promised and is lost`),
  ];
}

/** No lock, no half of anything, and git finds nothing wrong. */
function judgeLeftOver({ folder, git }: Sight): string[] {
  const places = [join(folder, 'repository', '.git'), join(folder, 'state', 'repository.git')];
  const locks = places.flatMap((place) =>
    readdirSync(place, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.lock') || /objects\/(tmp_objdir|incoming)-/.test(name))
      .map((name) => `${join(place, name)} is left`),
  );
  const checks = (['repository', 'private'] as const).map((where) =>
    git(where, 'fsck', '--strict', '--no-dangling'),
  );
  return [...locks, ...checks.filter((text) => text !== '').map((text) => `git fsck: ${text}`)];
}

/** The tables that people query say what the journal says. */
function judgeProjections(folder: string): string[] {
  const journal = openJournalReader(join(folder, 'state', 'journal.db'));
  if (journal === undefined) return ['there is no journal'];
  const { histories } = recover({ journal, logger: silentLogger() });
  const { state, text } = compareProjections(
    join(folder, 'state', 'projections.db'),
    journal.name,
    histories,
  );
  journal.close();
  return state === 'as the journal' ? [] : [`projections: ${text}`];
}

function gitIn(folder: string): Sight['git'] {
  const places = {
    repository: ['-C', join(folder, 'repository')],
    private: ['--git-dir', join(folder, 'state', 'repository.git')],
  };
  const env = { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null' };
  return (where, ...args) =>
    execFileSync('git', [...places[where], ...args], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
}

function linesOf(file: string): unknown[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as unknown);
}
