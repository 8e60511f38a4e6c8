/** What an attempt did to its tree, measured against what it was allowed. Pure. */
import { posix } from 'node:path';
import { forbiddenAmong, suspiciousSince, type AuditEvent } from './audit.ts';
import { changesAmong, type Change } from './changes.ts';
import { differencesOf } from './listing-differences.ts';
import { isProtected } from './name-rules.ts';
import type { SnapshotEntry } from './snapshot-entry.ts';
import type { Snapshot } from './snapshot.ts';
import { isBelow } from './toolchains.ts';

export interface AttemptPolicy {
  /** Folders and files below the root that the attempt may change; `.` is all of it. */
  readonly workspace: readonly string[];
  /** Whether a path is thrown away with the attempt: scratch places and layers. */
  readonly isDiscarded?: (path: string) => boolean;
  /** Folders outside that links may lead to: what the attempt may read anyway. */
  readonly readable?: readonly string[];
}

/**
 * Everything that fails an attempt, sorted by path: changes outside its workspace; inside it, links that lead out,
 * files with a name elsewhere, special files, set-id bits, new repositories, and protected names that the workspace
 * does not itself name.
 */
export function findAttemptViolations(
  before: Snapshot,
  after: Snapshot,
  policy: AttemptPolicy,
): AuditEvent[] {
  const isDiscarded = policy.isDiscarded ?? (() => false);
  const workspace = policy.workspace.map((path) => posix.normalize(path).replace(/\/+$/, ''));
  const differences = differencesOf(before.listing, after.listing);
  const changes = changesAmong(differences).filter(({ path }) => !isDiscarded(path));
  const outside = changes
    .filter((change) => !isAllowed(change, { workspace, before }))
    .map(({ path }): AuditEvent => ({ kind: 'outside-workspace', path }));
  const isElsewhere = elsewhereRule(after);
  const suspicious = suspiciousSince({ before, after, differences }, policy)
    .filter(({ kind, path, entry }) => !isDiscarded(path) && (kind !== 'hard-link' || isElsewhere(entry)))
    .map(({ kind, path }): AuditEvent => ({ kind, path }));
  const forbidden = forbiddenAmong(changes, {}).filter(
    ({ path }) => !workspace.some((place) => namesProtected(place, path)),
  );
  const wrong = [...suspicious, ...forbidden];
  const known = new Set(wrong.map(({ path }) => path));
  return [...wrong, ...outside.filter(({ path }) => !known.has(path))].sort((a, b) =>
    a.path < b.path ? -1 : 1,
  );
}

interface Allowance {
  readonly workspace: readonly string[];
  readonly before: Snapshot;
}

/** In the workspace, or a folder on the way to it that had to be made. */
function isAllowed({ path, change, kind }: Change, { workspace, before }: Allowance): boolean {
  if (workspace.some((place) => place === '.' || isBelow(path, place))) return true;
  if (change !== 'created' || kind !== 'folder' || !workspace.some((place) => isBelow(place, path)))
    return false;
  // One that was renamed while it was listed may be told twice, and the second time seem to be new.
  return before.get(path) === undefined;
}

/** The plan gives the protected file away in words: the workspace is it, or lies in the protected folder. */
function namesProtected(place: string, path: string): boolean {
  if (!isBelow(path, place)) return false;
  return path === place || isProtected(place);
}

/** A tool may give a file two names in the workspace; a name that is not in the tree is somebody else's file. */
function elsewhereRule(after: Snapshot): (entry: SnapshotEntry | undefined) => boolean {
  let names: ReadonlyMap<number, number> | undefined;
  return (entry) => {
    names ??= countNames(after);
    return entry !== undefined && entry.links > (names.get(entry.inode) ?? 0);
  };
}

/** Inode → how many names of it the tree holds. */
function countNames({ entries }: Snapshot): Map<number, number> {
  const names = new Map<number, number>();
  for (const entry of entries.values())
    if (!entry.isPlain && entry.kind === 'file' && entry.links > 1)
      names.set(entry.inode, (names.get(entry.inode) ?? 0) + 1);
  return names;
}
