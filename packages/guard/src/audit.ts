/** What in a tree is suspicious whoever made it, and what became so between two snapshots of it. Pure. */
import { posix } from 'node:path';
import { changesAmong, type Change } from './changes.ts';
import { differencesOf, type Difference } from './listing-differences.ts';
import { denyRule, isProtected } from './name-rules.ts';
import type { SnapshotEntry } from './snapshot-entry.ts';
import type { Snapshot } from './snapshot.ts';
import {
  holdsRepository,
  isGitName,
  repositoryNames,
  suspicionsOf,
  type SuspicionKind,
} from './suspicions.ts';

export type AuditEventKind = SuspicionKind | 'protected-changed' | 'denied-changed' | 'outside-workspace';

export interface AuditEvent {
  readonly kind: AuditEventKind;
  readonly path: string;
}

export interface AuditPolicy {
  /** Folders that links may lead to besides the root itself. */
  readonly readable?: readonly string[];
  /** As of the path guard: globs relative to the root. */
  readonly denyRead?: readonly string[];
}

/** What is suspicious in a tree as it stands: links that lead out, second names, special files, repositories. */
export function findSuspicious(snapshot: Snapshot, { readable = [] }: AuditPolicy = {}): AuditEvent[] {
  const events: AuditEvent[] = [];
  const folders = ['.'];
  for (const [path, entry] of snapshot.entries) {
    const kinds = suspicionsOf(snapshot, { path, entry, readable });
    for (const kind of kinds) events.push({ kind, path });
    if (entry.kind === 'folder' && !kinds.includes('git-dir')) folders.push(path);
  }
  return [...events, ...repositoriesAmong(snapshot, folders)];
}

function repositoriesAmong(snapshot: Snapshot, folders: readonly string[]): AuditEvent[] {
  return folders
    .filter((path) => holdsRepository(snapshot, path))
    .map((path): AuditEvent => ({ kind: 'git-dir', path }));
}

/** What became suspicious between two snapshots, and changes of protected and denied files. */
export function findViolations(before: Snapshot, after: Snapshot, policy: AuditPolicy = {}): AuditEvent[] {
  const differences = differencesOf(before.listing, after.listing);
  const suspicious = suspiciousSince({ before, after, differences }, policy);
  return [
    ...suspicious.map(({ kind, path }) => ({ kind, path })),
    ...forbiddenAmong(changesAmong(differences), policy),
  ];
}

/** Changes of what nobody shall change. */
export function forbiddenAmong(changes: readonly Change[], { denyRead = [] }: AuditPolicy): AuditEvent[] {
  const isDenied = denyRule(denyRead);
  const events: AuditEvent[] = [];
  for (const { path } of changes) {
    if (isProtected(path)) events.push({ kind: 'protected-changed', path });
    if (isDenied(path)) events.push({ kind: 'denied-changed', path });
  }
  return events;
}

/** Two snapshots, and what is not the same in them. */
export interface Comparison {
  readonly before: Snapshot;
  readonly after: Snapshot;
  readonly differences: readonly Difference[];
}

export interface Suspicion extends AuditEvent {
  /** None for a folder that is one by what it holds. */
  readonly entry?: SnapshotEntry;
}

/**
 * What became suspicious. An entry that is as it was is as suspicious as it was: but for a link, which may lead through
 * others, and for a folder that has got what makes a repository of it.
 */
export function suspiciousSince(comparison: Comparison, { readable = [] }: AuditPolicy): Suspicion[] {
  const { before, after, differences } = comparison;
  const found: Suspicion[] = [];
  for (const { path, was, now } of [...differences, ...linksAsTheyWere(comparison)]) {
    if (now === undefined) continue;
    const kinds = suspicionsOf(after, { path, entry: now, readable });
    if (kinds.length === 0) continue;
    const known = was === undefined ? [] : suspicionsOf(before, { path, entry: was, readable });
    for (const kind of kinds) if (!known.includes(kind)) found.push({ kind, path, entry: now });
  }
  return [...found, ...newRepositories(comparison)];
}

/** Where any link is not as it was, or the root is elsewhere, the others may lead elsewhere. */
function linksAsTheyWere({ before, after, differences }: Comparison): Difference[] {
  const isLink = (entry: SnapshotEntry | undefined): boolean => entry?.kind === 'link';
  const mayLeadElsewhere =
    before.root !== after.root || differences.some(({ was, now }) => isLink(was) || isLink(now));
  if (!mayLeadElsewhere) return [];
  const known = new Set(differences.map(({ path }) => path));
  return [...after.links]
    .filter(([path]) => !known.has(path))
    .map(([path, entry]) => ({ path, was: entry, now: entry }));
}

/** A folder becomes a repository only by an entry that is new in it. One that is so by its name is known already. */
function newRepositories({ before, after, differences }: Comparison): Suspicion[] {
  const made = differences.filter(
    ({ path, was }) => was === undefined && repositoryNames.has(posix.basename(path)),
  );
  const folders = new Set(made.map(({ path }) => posix.dirname(path)));
  return repositoriesAmong(
    after,
    [...folders].filter((path) => !isGitName(path) && !holdsRepository(before, path)),
  );
}
