/** What changed between two snapshots, and what in a tree is suspicious whoever made it. Pure. */
import { posix } from 'node:path';
import { denyRule, foldName, isProtected } from './name-rules.ts';
import type { SnapshotEntry } from './snapshot-entry.ts';
import type { Snapshot } from './snapshot.ts';
import { isBelow } from './toolchains.ts';
import type { EntryKind } from './tree-walk.ts';

export interface Change {
  readonly path: string;
  readonly change: 'created' | 'changed' | 'removed' | 'mode-changed';
  readonly kind: EntryKind;
}

/** Every entry that is not as it was; sorted by path. Folders count only when made, removed or given another mode. */
export function compareSnapshots(before: Snapshot, after: Snapshot): Change[] {
  const changes: Change[] = [];
  let created = 0;
  for (const path of after.differs?.from.deref() === before ? after.differs.paths : after.entries.keys()) {
    const now = after.entries.get(path);
    if (now === undefined) continue;
    const change = changeOf(before.entries.get(path), now);
    if (change === 'created') created += 1;
    if (change !== undefined) changes.push({ path, change, kind: now.kind });
  }
  if (after.entries.size - created < before.entries.size) changes.push(...removed(before, after));
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function removed(before: Snapshot, { entries }: Snapshot): Change[] {
  return [...before.entries]
    .filter(([path]) => !entries.has(path))
    .map(([path, { kind }]) => ({ path, change: 'removed', kind }));
}

function changeOf(was: SnapshotEntry | undefined, now: SnapshotEntry): Change['change'] | undefined {
  if (was === undefined) return 'created';
  if (was.facts === now.facts && was.target === now.target) return undefined;
  if (was.kind !== now.kind || was.target !== now.target) return 'changed';
  if (now.kind === 'folder') return was.mode === now.mode ? undefined : 'mode-changed';
  if (was.inode !== now.inode || was.size !== now.size || was.modified !== now.modified) return 'changed';
  if (was.mode !== now.mode) return 'mode-changed';
  // The change time moves with content that was given its old time back, and also with a new hard link.
  return was.changed !== now.changed && was.links === now.links ? 'changed' : undefined;
}

export type AuditEventKind =
  | 'symlink-escape'
  | 'hard-link'
  | 'special-file'
  | 'set-id'
  | 'protected-changed'
  | 'denied-changed'
  | 'git-dir'
  | 'outside-workspace';

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
export function findSuspicious(snapshot: Snapshot, policy: AuditPolicy = {}): AuditEvent[] {
  return suspiciousAmong(snapshot, snapshot.entries.keys(), policy);
}

function suspiciousAmong(snapshot: Snapshot, paths: Iterable<string>, policy: AuditPolicy): AuditEvent[] {
  const events: AuditEvent[] = holdsRepository(snapshot, '') ? [{ kind: 'git-dir', path: '.' }] : [];
  for (const path of paths) {
    const entry = snapshot.entries.get(path);
    if (entry === undefined) continue;
    for (const kind of suspicions(snapshot, { path, entry, policy })) events.push({ kind, path });
  }
  return events;
}

/**
 * What became suspicious between two snapshots, and changes of protected and denied files. `changes`: what
 * `compareSnapshots` says of the two, where that is known already.
 */
export function findViolations(
  before: Snapshot,
  after: Snapshot,
  {
    changes = compareSnapshots(before, after),
    ...policy
  }: AuditPolicy & { changes?: readonly Change[] } = {},
): AuditEvent[] {
  // A plain file that is as it was is no more suspicious than before, whatever is around it.
  const looked = new Set([...after.notable, ...changes.map(({ path }) => path)]);
  const events = suspiciousAmong(after, looked, policy).filter(
    (event) => !wasSuspicious(before, event, policy),
  );
  const isDenied = denyRule(policy.denyRead ?? []);
  for (const { path } of changes) {
    if (isProtected(path)) events.push({ kind: 'protected-changed', path });
    if (isDenied(path)) events.push({ kind: 'denied-changed', path });
  }
  return events;
}

function wasSuspicious(before: Snapshot, { kind, path }: AuditEvent, policy: AuditPolicy): boolean {
  if (path === '.') return holdsRepository(before, '');
  const entry = before.entries.get(path);
  return entry !== undefined && suspicions(before, { path, entry, policy }).includes(kind);
}

interface Suspect {
  readonly path: string;
  readonly entry: SnapshotEntry;
  readonly policy: AuditPolicy;
}

function suspicions(snapshot: Snapshot, suspect: Suspect): AuditEventKind[] {
  const { path, entry } = suspect;
  if (entry.isPlain) return isGitName(path) ? ['git-dir'] : [];
  const found: AuditEventKind[] = [];
  if (entry.kind === 'link' && leadsOut(snapshot, suspect)) found.push('symlink-escape');
  if (entry.kind === 'file' && entry.links > 1) found.push('hard-link');
  if (entry.kind === 'file' && (entry.mode & 0o6000) !== 0) found.push('set-id');
  if (entry.kind === 'other') found.push('special-file');
  if (isGitFolder(snapshot, path, entry)) found.push('git-dir');
  return found;
}

/** Links in the middle are taken apart as far as the snapshot knows them; more than 40 count as leading out. */
function leadsOut(snapshot: Snapshot, { path, entry, policy }: Suspect): boolean {
  const todo = (entry.target ?? '').split('/').reverse();
  let at = entry.target?.startsWith('/') === true ? '/' : posix.dirname(posix.join(snapshot.root, path));
  let links = 0;
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    at = posix.join(at, name);
    const next = isBelow(at, snapshot.root)
      ? snapshot.entries.get(at.slice(snapshot.root.length + 1))
      : undefined;
    if (next?.target === undefined) continue;
    links += 1;
    if (links > 40) return true;
    todo.push(...next.target.split('/').reverse());
    at = next.target.startsWith('/') ? '/' : posix.dirname(at);
  }
  return ![snapshot.root, ...(policy.readable ?? [])].some((root) => isBelow(at, root));
}

/** A folder that git would take for a repository: by its name, or by what it holds. */
function isGitFolder(snapshot: Snapshot, path: string, entry: SnapshotEntry): boolean {
  return isGitName(path) || (entry.kind === 'folder' && holdsRepository(snapshot, `${path}/`));
}

function isGitName(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name === '.git' || (/^\W*g|~|[^ -~]/i.test(name) && foldName(name) === '.git');
}

/** A bare repository, or a folder that borrows its objects and refs from another. */
function holdsRepository({ entries }: Snapshot, prefix: string): boolean {
  const holds = (name: string): boolean => entries.has(`${prefix}${name}`);
  return holds('HEAD') && (holds('commondir') || (holds('objects') && holds('refs')));
}
