import { existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { SandboxMount } from '@switchyard/guard';
import { AppError, type TaskAssignment } from '@switchyard/protocol';
import { layerMounts, type Layer } from '@switchyard/receipts';
import { outermost } from './scratch-places.ts';
import { standingAt } from './standing.ts';

/** The folders of one attempt. */
export interface AttemptFolders {
  /** The checkout with the throwaway `.git`. */
  readonly tree: string;
  /** Feedback and instructions: the attempt may read them. */
  readonly input: string;
  /** Where the attempt may leave an escalation. */
  readonly output: string;
  /** Empty stand-ins for what the task may not read. */
  readonly skeleton: string;
  /** Private folders behind the scratch places. */
  readonly scratch: string;
}

export interface AttemptView {
  readonly assignment: TaskAssignment;
  readonly folders: AttemptFolders;
  readonly layer: Layer | undefined;
  /** Scratch places, relative to the tree. */
  readonly scratch: readonly string[];
}

/** Read-only mounts beside a writable file. */
const neighboursMax = 200;

/**
 * What the attempt's commands see: the checkout read-only (or only what the task may read), its workspace and its
 * `.git` writable, layers read-only in their places, scratch places private. Made anew for each command, because
 * the one before may have changed what stands where. Throws AppError E_OUTSIDE_WORKSPACE for a workspace behind a
 * link.
 */
export function attemptMounts(view: AttemptView): SandboxMount[] {
  const { folders, assignment } = view;
  const { tree } = folders;
  return [
    ...readable(view),
    ...writable(tree, outermost(assignment.workspace), assignment.reads === 'all'),
    { kind: 'write', source: join(tree, '.git') },
    ...(view.layer === undefined ? [] : layerMounts(view.layer, tree, assignment.scratch)),
    ...view.scratch.map((place, index) => scratchMount(folders, place, index)),
    { kind: 'read', source: folders.input },
    { kind: 'write', source: folders.output },
  ];
}

function readable({ assignment, folders }: AttemptView): SandboxMount[] {
  const { tree, skeleton } = folders;
  const { reads } = assignment;
  if (reads === 'all') return [{ kind: 'read', source: tree }];
  mkdirSync(skeleton, { recursive: true });
  const paths = reads === 'workspace' ? [] : reads.filter((path) => isPlain(tree, path));
  return [
    { kind: 'read', source: skeleton, target: tree },
    ...outermost(paths).map((path): SandboxMount => ({ kind: 'read', source: join(tree, path) })),
  ];
}

function isPlain(tree: string, path: string): boolean {
  return ['file', 'folder'].includes(standingAt(tree, path));
}

/**
 * The mounts that make the workspace writable: its files first, by depth, since making one writable makes its
 * neighbours read-only; then its folders.
 */
function writable(tree: string, workspace: readonly string[], neighboursReadable: boolean): SandboxMount[] {
  const files = new Map<string, string[]>();
  const folders: string[] = [];
  for (const path of workspace) {
    if (isFolderOf(tree, path)) folders.push(path);
    else files.set(dirname(path), [...(files.get(dirname(path)) ?? []), path]);
  }
  const byDepth = [...files].sort(([a], [b]) => depthOf(a) - depthOf(b));
  return [
    ...byDepth.flatMap(([folder, paths]) => writableFiles(tree, folder, { paths, neighboursReadable })),
    ...folders.map((path): SandboxMount => {
      mkdirSync(join(tree, path), { recursive: true });
      return { kind: 'write', source: join(tree, path) };
    }),
  ];
}

function depthOf(folder: string): number {
  return folder === '.' ? 0 : folder.split('/').length;
}

/** What is not there yet is a file when its last part has an extension, else a folder. */
function isFolderOf(tree: string, path: string): boolean {
  const standing = standingAt(tree, path);
  switch (standing) {
    case 'folder':
      return true;
    case 'file':
    case 'link':
      return false;
    case 'nothing':
      return !/[^.]\.[A-Za-z0-9]{1,10}$/.test(basename(path));
    case 'behind-link':
      throw new AppError('E_OUTSIDE_WORKSPACE', `the workspace ${path} lies behind a link or a file`, {
        details: { paths: [path] },
      });
  }
}

/**
 * Files are made writable through their folder, so that tools which write a new file and rename it over the old
 * one work; the neighbours are read-only, and what is newly made beside them the audit finds. Where the task may
 * not read the neighbours, or there are too many, the file itself is mounted: it can be written, not replaced.
 */
function writableFiles(
  tree: string,
  folder: string,
  { paths, neighboursReadable }: { readonly paths: readonly string[]; readonly neighboursReadable: boolean },
): SandboxMount[] {
  mkdirSync(join(tree, folder), { recursive: true });
  const neighbours = readdirSync(join(tree, folder))
    .map((name) => (folder === '.' ? name : `${folder}/${name}`))
    .filter((path) => !paths.includes(path) && path !== '.git')
    .filter((path) => !lstatSync(join(tree, path)).isSymbolicLink());
  if (neighboursReadable && neighbours.length <= neighboursMax) {
    return [
      { kind: 'write', source: join(tree, folder) },
      ...neighbours.map((path): SandboxMount => ({ kind: 'read', source: join(tree, path) })),
    ];
  }
  return paths
    .filter((path) => standingAt(tree, path) !== 'link')
    .map((path): SandboxMount => {
      if (!existsSync(join(tree, path))) writeFileSync(join(tree, path), '');
      return { kind: 'write', source: join(tree, path) };
    });
}

function scratchMount(folders: AttemptFolders, place: string, index: number): SandboxMount {
  const source = join(folders.scratch, String(index));
  mkdirSync(source, { recursive: true });
  return { kind: 'scratch', source, target: join(folders.tree, place) };
}
