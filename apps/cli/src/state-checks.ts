import { accessSync, constants, existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isAppError, messageOf, type ErrorCode } from '@switchyard/protocol';
import {
  lockHolder,
  readProject,
  requireOwner,
  silentLogger,
  type Logger,
  type StateFolder,
} from '@switchyard/runtime';
import type { ProjectionsFound } from '@switchyard/history';
import type { JournalReader, Observation } from '@switchyard/store';
import { durationText } from './show-text.ts';
import { commitsFound, type RunOnCommits } from './commit-checks.ts';
import { accessFound, looked } from './state-access.ts';

/**
 * Looks at everything in a state folder and says what was found and how to mend it. Nothing is changed or made, whoever
 * the folder belongs to.
 */
export async function stateChecks(folder: StateFolder, isServed: boolean): Promise<Observation[]> {
  const shut = shutFound(folder.root);
  if (shut.length > 0) return shut;
  // Loaded when it is needed: a library with native code.
  const { inspectJournal } = await import('@switchyard/store');
  const { compareProjections, recover } = await import('@switchyard/history');
  let runs: RunOnCommits[] = [];
  const look = (journal: JournalReader): Observation[] => {
    const warnings: string[] = [];
    const logger = warningsInto(warnings);
    const { histories, heads, folded } = recover({ journal, shelf: journal.shelf, logger });
    runs = [...histories.values()].map(({ run, ended, state: { base, tip } }) => ({ run, ended, base, tip }));
    const open = runs.filter(({ ended }) => !ended);
    return [
      { name: 'runs', state: 'ok', text: `${histories.size}, ${open.length} of them not ended` },
      snapshotsFound({ read: heads.length, folded, warnings }),
      projectionsFound(compareProjections(folder.projectionsFile, journal.name, histories), isServed),
    ];
  };
  return [
    ...looked('state', () => folderFound(folder)),
    ...looked('disk', () => spaceFound(folder)),
    ...looked('lock', () => [lockFound(folder)]),
    ...inspectJournal(folder.journalFile, { inUse: isServed, look }),
    ...(await commitsFound(folder, runs, isServed)),
    ...looked('secrets', () => secretsFound(folder)),
    ...(await outboxesFound(folder)),
    ...looked('leftovers', () => leftoversFound(folder, isServed)),
  ];
}

function wrong(name: string, code: ErrorCode, text: string, mend: string): Observation {
  return { name, state: 'wrong', code, text, mend };
}

/** Nothing can be looked at in a folder that is not there, or is closed to this user. */
function shutFound(root: string): Observation[] {
  try {
    if (statSync(root, { throwIfNoEntry: false }) === undefined)
      return [{ name: 'state', state: 'note', text: `${root} (nothing yet; the first run makes it)` }];
  } catch (error) {
    // A folder above it is closed, which is not ours to open.
    const mend = 'name a folder of your own with --state, or with SWITCHYARD_STATE';
    return [wrong('state', 'E_STORAGE', messageOf(error), mend)];
  }
  return looked('state', () => {
    accessSync(root, constants.R_OK | constants.X_OK);
    return [];
  });
}

/** Whose it is, of which repository, and whether it can be written. */
function folderFound(folder: StateFolder): Observation[] {
  const { root } = folder;
  const mode = statSync(root).mode & 0o777;
  const found: Observation[] = [{ name: 'state', state: 'ok', text: root }];
  const asked = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!isAppError(error)) throw error;
      const { path } = (error.cause ?? {}) as NodeJS.ErrnoException;
      if (path === undefined)
        found.push({ name: 'state', state: 'wrong', code: error.code, text: error.message });
      else found.push(accessFound('state', path, error.cause));
    }
  };
  asked(() => requireOwner(root));
  asked(() => {
    const project = readProject(folder);
    if (project !== undefined) found.push({ name: 'of', state: 'ok', text: project });
  });
  if ((mode & 0o077) !== 0)
    found.push({
      name: 'state',
      state: 'note',
      text: `others may look into ${root} (mode ${mode.toString(8)})`,
      mend: `chmod 700 ${root}`,
    });
  for (const path of [root, folder.journalFile, folder.gitDir].filter((path) => existsSync(path)))
    found.push(...writableFound(path));
  return found;
}

/** Tells a read-only disk for root as well, which the modes do not bind. */
function writableFound(path: string): Observation[] {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return [];
  } catch (error) {
    return [accessFound('state', path, error)];
  }
}

const leastFree = 100_000_000;

function spaceFound({ root }: StateFolder): Observation[] {
  const { bavail, bsize } = statfsSync(root);
  const free = bavail * bsize;
  const text = `${(free / 1_000_000_000).toFixed(1)} GB free`;
  if (free >= leastFree) return [{ name: 'disk', state: 'ok', text }];
  return [wrong('disk', 'E_DISK_FULL', text, 'make room: `switchyard clean` removes what is old')];
}

function lockFound({ lockFile }: StateFolder): Observation {
  const holder = lockHolder(lockFile);
  if (holder?.isAlive === true) return { name: 'lock', state: 'ok', text: `process ${holder.pid} holds it` };
  if (!existsSync(lockFile)) return { name: 'lock', state: 'ok', text: 'nobody holds it' };
  const who =
    holder === undefined ? 'it cannot be read' : `process ${holder.pid}, which has gone, left it behind`;
  return { name: 'lock', state: 'note', text: who, mend: 'nothing to do: the next start takes it over' };
}

interface SnapshotsRead {
  readonly read: number;
  readonly folded: number;
  readonly warnings: readonly string[];
}

function snapshotsFound({ read, folded, warnings }: SnapshotsRead): Observation {
  const text = `${read} used, ${folded} facts after them`;
  if (warnings.length === 0) return { name: 'snapshots', state: 'ok', text };
  const mend = 'nothing to do: facts stand in for it, and new snapshots are made';
  return { name: 'snapshots', state: 'note', text: [text, ...warnings].join('\n'), mend };
}

/** What is made from the journal is never more than a note. */
function projectionsFound({ state, text }: ProjectionsFound, isServed: boolean): Observation {
  // An orchestrator goes on between the two looks.
  if (state === 'as the journal' || (state === 'ahead' && isServed))
    return { name: 'projections', state: 'ok', text };
  const mend = isServed
    ? 'nothing to do: the orchestrator catches up; or make them anew with `switchyard projections rebuild`'
    : 'make them anew with `switchyard projections rebuild`; the next start does it, too';
  return { name: 'projections', state: 'note', text, mend };
}

function warningsInto(warnings: string[]): Logger {
  return Object.assign(silentLogger(), {
    warn: ({ run, reason }: { run?: string; reason?: string }, text: string) =>
      warnings.push([run, text, reason].filter((part) => part !== undefined).join(': ')),
  });
}

/** The operator's token and the certificate: only their owner may read them. */
function secretsFound({
  root,
  tokenFile,
  observerTokenFile,
  tls,
  orchestratorFile,
}: StateFolder): Observation[] {
  const files = [
    tokenFile,
    observerTokenFile,
    join(root, 'tokens.json'),
    join(root, 'mcp-token'),
    join(tls, 'certificate.json'),
    orchestratorFile,
  ];
  const open = files.filter((file) => existsSync(file) && (statSync(file).mode & 0o077) !== 0);
  const found: Observation[] = open.map((file) => ({
    name: 'secrets',
    state: 'wrong',
    code: 'E_STORAGE',
    text: `others may read ${file}`,
    mend: `chmod 600 ${file}`,
  }));
  if (!existsSync(tokenFile))
    found.push({
      name: 'secrets',
      state: 'note',
      text: 'there is no token yet',
      mend: 'nothing to do: the next start makes it',
    });
  return found;
}

async function outboxesFound({ peers }: StateFolder): Promise<Observation[]> {
  const { inspectOutbox } = await import('@switchyard/store');
  const outbox = (name: string): Observation[] => {
    const file = join(peers, name, 'outbox');
    accessSync(file, constants.R_OK);
    return [inspectOutbox(file, `outbox ${name}`)];
  };
  return looked('outboxes', () => {
    const folders = readdirSync(peers, { withFileTypes: true }).filter((entry) => !entry.isFile());
    const names = folders.map(({ name }) => name).toSorted();
    return names.flatMap((name) => looked(`outbox ${name}`, () => outbox(name)));
  });
}

/** What a crash leaves behind, and nobody takes up again. */
function leftoversFound(folder: StateFolder, isServed: boolean): Observation[] {
  if (isServed) return [];
  const halves = readdirSync(folder.root).filter((name) => /\.(new|stale)(-\d+)?$/.test(name));
  const checkouts = existsSync(folder.checkouts) ? readdirSync(folder.checkouts) : [];
  const paths = [
    ...halves.map((name) => join(folder.root, name)),
    ...checkouts.map((name) => join(folder.checkouts, name)),
  ];
  const mend =
    '`switchyard clean` removes checkouts; files can be removed by hand while no orchestrator runs';
  const found: Observation[] =
    paths.length === 0 ? [] : [{ name: 'leftovers', state: 'note', text: paths.join('\n'), mend }];
  if (!existsSync(folder.orchestratorFile)) return found;
  const age = durationText(Date.now() - statSync(folder.orchestratorFile).mtimeMs);
  return [
    ...found,
    {
      name: 'leftovers',
      state: 'note',
      text: `${folder.orchestratorFile} is of an orchestrator that was killed (written ${age} ago)`,
      mend: 'nothing to do: the next start replaces it',
    },
  ];
}
