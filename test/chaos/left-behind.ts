import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Fleet } from './fleet.ts';

/** What is left of a fleet that has ended: processes, mounts, sockets, temporary files, checkouts, locks. */
export function leftBehind(fleet: Fleet): string[] {
  const { folder, state } = fleet.scenario;
  const { temporary } = fleet;
  return [
    ...fleet.scenario.leftovers().map(({ pid, command }) => `process ${pid} goes on: ${command}`),
    ...standingIn(folder).map((pid) => `process ${pid} stands in the folder of the round`),
    ...mountsBelow(folder).map((place) => `${place} is still mounted`),
    ...entriesOf(temporary).map((name) => `temporary: ${name}`),
    ...entriesOf(join(state, 'checkouts')).map((name) => `checkout: ${name}`),
    ...entriesOf(join(state, 'peers')).flatMap((peer) =>
      entriesOf(join(state, 'peers', peer, 'work')).map((name) => `work of ${peer}: ${name}`),
    ),
    ...socketsBelow(folder).map((file) => `socket: ${file}`),
    ...staleLocks(state),
  ];
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Processes whose working or root folder lies in a folder. */
function standingIn(folder: string): number[] {
  return entriesOf('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
    .filter((pid) => ['cwd', 'root'].some((link) => isBelow(folder, targetOf(`/proc/${pid}/${link}`))));
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    // It has ended meanwhile, or belongs to somebody else.
    return '';
  }
}

function isBelow(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((place) => isBelow(folder, place));
}

function socketsBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isSocket() === true,
  );
}

/** Locks and announcements are taken back by whoever ends in order. */
function staleLocks(state: string): string[] {
  const names = ['orchestrator.json', 'orchestrator.lock'].filter((name) => entriesOf(state).includes(name));
  return names.map((name) => `${name} is still there`);
}
