/**
 * A control group for each command, where this machine lets us make one: the only limit on processes that also
 * binds root, and the only limit on the memory of all processes together. Both layouts of Linux are known:
 * one tree (v2) and one tree a controller (v1). Where neither can be written, RLIMIT_NPROC and a count of the
 * processes in the command's pid namespace stand in (process-count.ts).
 */
import {
  accessSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { AppError, messageOf } from '@switchyard/protocol';
import { processStart } from '@switchyard/runtime';

const namePrefix = 'switchyard-';
const controllers = ['pids', 'memory'] as const;
type Controller = (typeof controllers)[number];

interface Tree {
  readonly version: 1 | 2;
  readonly controllers: readonly Controller[];
  /** The folder in which groups are made. */
  readonly folder: string;
}

export interface GroupLimits {
  readonly processes: number;
  readonly memoryBytes: number;
}

export interface ControlGroups {
  readonly controllers: readonly Controller[];
  /** Throws E_SANDBOX when it can be made no more. */
  make(limits: GroupLimits): ControlGroup;
}

export interface ControlGroup {
  readonly folders: readonly string[];
  /** Files that a process of one thread writes `0` to, to enter. */
  readonly doors: readonly string[];
  /** Processes and threads in it, and how often a new one was refused; undefined: not counted here. */
  readonly pressure: (() => { readonly count: number; readonly refused: number }) | undefined;
  kill(): void;
  /** Removes it once it is empty; waits up to a second. False: something still runs in it. */
  remove(): Promise<boolean>;
}

/** Of all groups that this process makes, whichever sandbox asks: their names are one folder's. */
let made = 0;

/** Finds where groups can be made; undefined where nothing can be. */
export function openControlGroups(root = '/proc/self'): ControlGroups | undefined {
  const trees = findTrees(root).filter(isUsable);
  if (!trees.some((tree) => tree.controllers.includes('pids'))) return undefined;
  for (const tree of trees) removeStale(tree);
  return {
    controllers: trees.flatMap((tree) => tree.controllers),
    make: (limits) => makeGroup(trees, `${namePrefix}${process.pid}-${(made += 1)}`, limits),
  };
}

function findTrees(root: string): Tree[] {
  const own = readLines(`${root}/cgroup`).map((line) => line.split(':'));
  const trees: Tree[] = [];
  for (const line of readLines(`${root}/mountinfo`)) {
    const fields = line.split(' ');
    const [kind, , options] = fields.slice(fields.indexOf('-') + 1);
    const [inTree, mountPoint] = [fields[3], fields[4]];
    if (mountPoint === undefined || inTree === undefined) continue;
    if (kind === 'cgroup2') trees.push(...unifiedTrees(mountPoint, own.find(([id]) => id === '0')?.[2]));
    const named = controllers.filter((name) => options?.split(',').includes(name));
    if (kind !== 'cgroup' || named.length === 0) continue;
    const path = own.find(([, names]) =>
      names?.split(',').some((name) => named.includes(name as Controller)),
    )?.[2];
    const below =
      path?.startsWith(inTree === '/' ? '/' : `${inTree}/`) === true ? path.slice(inTree.length) : '';
    trees.push({ version: 1, controllers: named, folder: join(mountPoint, below) });
  }
  return firstOfEach(trees);
}

/** In one tree a group may be made in our own or in one above it, where its controllers are handed down. */
function unifiedTrees(mountPoint: string, own: string | undefined): Tree[] {
  const trees: Tree[] = [];
  for (let path = own ?? '/'; ; path = dirname(path)) {
    const folder = join(mountPoint, path);
    const handedDown = readLines(join(folder, 'cgroup.subtree_control')).flatMap((line) => line.split(' '));
    const named = controllers.filter((name) => handedDown.includes(name));
    if (named.length > 0) trees.push({ version: 2, controllers: named, folder });
    if (path === '/') return trees.filter(isUsable);
  }
}

/**
 * In version 1 a single thread that moves itself spares the kernel its wait for all processors, some 10 ms; version 2
 * moves whole processes only.
 */
function doorOf(tree: Tree | undefined, folder: string): string {
  return join(folder, tree?.version === 1 ? 'tasks' : 'cgroup.procs');
}

function firstOfEach(trees: readonly Tree[]): Tree[] {
  const taken = new Set<Controller>();
  return trees.filter((tree) => {
    if (tree.controllers.some((name) => taken.has(name))) return false;
    for (const name of tree.controllers) taken.add(name);
    return true;
  });
}

/** Whether a group can be made there and we could move into it. */
function isUsable(tree: Tree): boolean {
  try {
    accessSync(doorOf(tree, tree.folder), constants.W_OK);
    const trial = join(tree.folder, `${namePrefix}${process.pid}-trial`);
    mkdirSync(trial);
    rmdirSync(trial);
    return true;
  } catch {
    // Read-only, not ours, or not there: not usable is the whole answer.
    return false;
  }
}

function makeGroup(trees: readonly Tree[], name: string, limits: GroupLimits): ControlGroup {
  const folders: string[] = [];
  try {
    for (const tree of trees) {
      const folder = join(tree.folder, name);
      mkdirSync(folder);
      folders.push(folder);
      setLimits(tree, folder, limits);
    }
  } catch (cause) {
    for (const folder of folders) removeOne(folder);
    const text = `The control group of a command cannot be made: ${messageOf(cause)}`;
    throw new AppError('E_SANDBOX', text, { cause });
  }
  const counted = folders[trees.findIndex((tree) => tree.controllers.includes('pids'))];
  return {
    folders,
    doors: folders.map((folder, index) => doorOf(trees[index], folder)),
    pressure: counted === undefined ? undefined : () => readPressure(counted),
    kill: () => folders.forEach(killAll),
    remove: () => removeAll(folders),
  };
}

function setLimits(tree: Tree, folder: string, limits: GroupLimits): void {
  if (tree.controllers.includes('pids')) writeFileSync(join(folder, 'pids.max'), String(limits.processes));
  if (!tree.controllers.includes('memory')) return;
  const file = tree.version === 1 ? 'memory.limit_in_bytes' : 'memory.max';
  writeFileSync(join(folder, file), String(limits.memoryBytes));
}

function readPressure(folder: string): { count: number; refused: number } {
  const refused = readLines(join(folder, 'pids.events')).find((line) => line.startsWith('max '));
  return {
    count: Number(readLines(join(folder, 'pids.current'))[0] ?? 0),
    refused: Number(refused?.slice(4) ?? 0),
  };
}

/** Kills what is in the group now; the pid namespace sees to what is born meanwhile. */
function killAll(folder: string): void {
  for (const line of readLines(join(folder, 'cgroup.procs'))) {
    try {
      process.kill(Number(line), 'SIGKILL');
    } catch {
      // It ended between the reading and the signal.
    }
  }
}

async function removeAll(folders: readonly string[]): Promise<boolean> {
  const left = new Set(folders);
  for (let waitMs = 1; ; waitMs *= 2) {
    for (const folder of left) if (removeOne(folder)) left.delete(folder);
    if (left.size === 0) return true;
    if (waitMs > 512) return false;
    await pause(waitMs);
  }
}

function removeOne(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    // EBUSY: something in it is still ending.
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/** Groups of daemons that are gone. */
function removeStale(tree: Tree): void {
  for (const name of readdirSync(tree.folder)) {
    const pid = name.startsWith(namePrefix)
      ? Number(name.slice(namePrefix.length).split('-')[0])
      : Number.NaN;
    if (Number.isInteger(pid) && processStart(pid) === undefined) removeOne(join(tree.folder, name));
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    // Not there: this layout does not have it.
    return [];
  }
}
