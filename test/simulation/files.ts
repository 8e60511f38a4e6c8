import type { FileStore, StoredFile } from '@switchyard/store';
import type { Life, World } from './world.ts';

/** How a disk behaves; the faults of a seed set it. */
export interface DiskWeather {
  /** Writes and syncs take so much longer. */
  slowMs: number;
  /** The next sync fails; whether the data is there nobody knows. */
  failNext: boolean;
  /** Nothing more can be written. */
  full: boolean;
}

/** Fair weather. */
export function fairWeather(): DiskWeather {
  return { slowMs: 0, failNext: false, full: false };
}

type Change =
  | { readonly kind: 'write'; readonly bytes: Uint8Array; readonly at: number }
  | { readonly kind: 'cut'; readonly length: number };

/** A file as the system shows it, and as far as the disk has it. */
class Inode {
  shown: Buffer = Buffer.alloc(0);
  kept: Buffer = Buffer.alloc(0);
  /** What is shown and not synced, oldest first. */
  unsynced: Change[] = [];

  change(change: Change): void {
    this.shown = changed(this.shown, change);
    this.unsynced.push(change);
  }

  sync(): void {
    this.syncAt(this.shown, this.unsynced.length);
  }

  /** The disk has what was shown when a sync began. */
  syncAt(shown: Buffer, changes: number): void {
    this.kept = shown;
    this.unsynced = this.unsynced.slice(changes);
  }

  /** The power is gone: of each change the disk has all, nothing, a part, or a part with zeros behind it. */
  losePower(world: World): void {
    for (const change of this.unsynced) {
      const part = world.pick(['all', 'nothing', 'part', 'zeros'] as const);
      if (part === 'nothing') continue;
      this.kept = changed(this.kept, part === 'all' ? change : torn(change, part === 'zeros', world));
    }
    this.shown = this.kept;
    this.unsynced = [];
  }
}

/** One machine's files: they outlive every process, and the power as far as they were synced. */
export class SimFiles {
  readonly weather = fairWeather();
  private readonly world: World;
  private shown = new Map<string, Inode>();
  private kept = new Map<string, Inode>();
  /** Names as they were after each change that is not synced, oldest first. */
  private unsynced: Map<string, Inode>[] = [];
  private inFlight: { readonly inode: Inode; readonly change: Change }[] = [];

  constructor(world: World) {
    this.world = world;
  }

  /** The files as a process has them. */
  of(life: Life): FileStore {
    return {
      read: (file) => {
        const inode = this.shown.get(file);
        return inode === undefined ? undefined : Buffer.from(inode.shown);
      },
      open: (file) => this.handle(this.must(file), life),
      create: (file) => {
        if (this.weather.full) throw failed('ENOSPC');
        const inode = new Inode();
        if (life.alive) this.rename((names) => names.set(file, inode));
        return this.handle(inode, life);
      },
      rename: (from, to) => {
        const inode = this.must(from);
        if (!life.alive) return;
        this.rename((names) => {
          names.delete(from);
          names.set(to, inode);
        });
      },
      syncFolder: () => {
        if (!life.alive) return;
        this.kept = this.shown;
        this.unsynced = [];
      },
    };
  }

  /** A process is gone; the system goes on, and has what it was given. */
  endProcess(): void {
    for (const { inode, change } of this.inFlight.splice(0))
      if (this.world.random.next() < 0.5) inode.change(torn(change, false, this.world));
  }

  /** The machine is gone. */
  losePower(): void {
    this.endProcess();
    const survivors = this.world.between(0, this.unsynced.length);
    this.kept = this.unsynced[survivors - 1] ?? this.kept;
    this.unsynced = [];
    this.shown = this.kept;
    for (const inode of new Set(this.kept.values())) inode.losePower(this.world);
  }

  private must(file: string): Inode {
    const inode = this.shown.get(file);
    if (inode === undefined) throw failed('ENOENT');
    return inode;
  }

  private rename(change: (names: Map<string, Inode>) => void): void {
    this.shown = new Map(this.shown);
    change(this.shown);
    this.unsynced.push(this.shown);
  }

  private handle(inode: Inode, life: Life): StoredFile {
    const now = (work: () => void): void => {
      if (life.alive) work();
    };
    return {
      write: (bytes, at) => this.write(inode, { kind: 'write', bytes: bytes.slice(), at }, life),
      sync: () => this.sync(inode, life),
      writeNow: (bytes) => now(() => inode.change({ kind: 'write', bytes: bytes.slice(), at: 0 })),
      truncateNow: (length) => now(() => inode.change({ kind: 'cut', length })),
      syncNow: () => now(() => inode.sync()),
      close: () => undefined,
    };
  }

  private async write(inode: Inode, change: Change & { kind: 'write' }, life: Life): Promise<number> {
    const { world, weather } = this;
    const entry = { inode, change };
    this.inFlight.push(entry);
    await world.pass(world.between(0, 5) + weather.slowMs, '', life);
    this.inFlight = this.inFlight.filter((one) => one !== entry);
    // A system may take less than it is given, and a full disk takes a part before it says so.
    const length =
      weather.full || world.random.next() < 0.2 ? world.between(0, change.bytes.length) : undefined;
    const taken = length === undefined ? change : { ...change, bytes: change.bytes.subarray(0, length) };
    inode.change(taken);
    if (weather.full) throw failed('ENOSPC');
    return taken.bytes.length;
  }

  private async sync(inode: Inode, life: Life): Promise<void> {
    const { world, weather } = this;
    const { shown } = inode;
    const changes = inode.unsynced.length;
    await world.pass(world.between(1, 10) + weather.slowMs, '', life);
    if (weather.failNext) {
      weather.failNext = false;
      world.note(`a sync of ${life.name} fails`);
      if (world.random.next() < 0.5) inode.syncAt(shown, changes);
      throw failed('EIO');
    }
    inode.syncAt(shown, changes);
  }
}

function changed(before: Buffer, change: Change): Buffer {
  if (change.kind === 'cut') return before.subarray(0, change.length);
  const after = Buffer.alloc(Math.max(before.length, change.at + change.bytes.length));
  after.set(before);
  after.set(change.bytes, change.at);
  return after;
}

function torn(change: Change, zeros: boolean, world: World): Change {
  if (change.kind === 'cut') return change;
  const length = world.between(0, change.bytes.length);
  if (!zeros) return { ...change, bytes: change.bytes.subarray(0, length) };
  const bytes = change.bytes.slice();
  bytes.fill(0, length);
  return { ...change, bytes };
}

function failed(code: 'EIO' | 'ENOSPC' | 'ENOENT'): Error {
  return Object.assign(new Error(`${code}: the disk of the simulation`), { code });
}
