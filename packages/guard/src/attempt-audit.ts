/** What an attempt did to its tree, measured against what it was allowed. Pure. */
import { posix } from 'node:path';
import { compareSnapshots, findViolations, type AuditEvent, type Change } from './audit.ts';
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
  const changes = compareSnapshots(before, after);
  const outside = changes
    .filter((change) => !isDiscarded(change.path) && !isAllowed(change, workspace))
    .map(({ path }): AuditEvent => ({ kind: 'outside-workspace', path }));
  const names = countNames(after);
  const suspicious = findViolations(before, after, { changes, readable: policy.readable ?? [] }).filter(
    ({ kind, path }) => {
      if (isDiscarded(path)) return false;
      if (kind === 'hard-link') return leadsElsewhere(after.entries.get(path), names);
      return kind !== 'protected-changed' || !workspace.some((place) => namesProtected(place, path));
    },
  );
  const known = new Set(suspicious.map(({ path }) => path));
  return [...suspicious, ...outside.filter(({ path }) => !known.has(path))].sort((a, b) =>
    a.path < b.path ? -1 : 1,
  );
}

/** In the workspace, or a folder on the way to it that had to be made. */
function isAllowed({ path, change, kind }: Change, workspace: readonly string[]): boolean {
  if (workspace.some((place) => place === '.' || isBelow(path, place))) return true;
  return change === 'created' && kind === 'folder' && workspace.some((place) => isBelow(place, path));
}

/** The plan gives the protected file away in words: the workspace is it, or lies in the protected folder. */
function namesProtected(place: string, path: string): boolean {
  if (!isBelow(path, place)) return false;
  return path === place || isProtected(place);
}

/** Inode → how many names of it the tree holds. */
function countNames({ entries, notable }: Snapshot): Map<number, number> {
  const names = new Map<number, number>();
  for (const entry of notable.map((path) => entries.get(path)))
    if (entry?.kind === 'file' && entry.links > 1) names.set(entry.inode, (names.get(entry.inode) ?? 0) + 1);
  return names;
}

/** A tool may give a file two names in the workspace; a name that is not in the tree is somebody else's file. */
function leadsElsewhere(entry: SnapshotEntry | undefined, names: ReadonlyMap<number, number>): boolean {
  return entry !== undefined && entry.links > (names.get(entry.inode) ?? 0);
}
