import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Clock, Random } from '@switchyard/runtime';
import { seededRandom } from '@switchyard/testkit';

interface SimEvent {
  at: number;
  order: number;
  readonly life: Living | undefined;
  readonly label: string;
  readonly happen: () => void;
  cancelled: boolean;
}

/** What processes run on: it has a wall clock, which somebody may set. */
export class Machine {
  wallOffsetMs = 1_700_000_000_000;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** What things happen on: a process's main loop, or a thread beside it. */
export interface Living {
  readonly process: Life;
  readonly alive: boolean;
  /** Until when nothing of it happens. */
  readonly stillUntil: number;
}

/** One incarnation of a process: when it is over, nothing of it happens any more. */
export class Life implements Living {
  readonly process = this;
  alive = true;
  /** Until when its loop stands still (SIGSTOP, a machine that sleeps, a disk that blocks). */
  stalledUntil = 0;
  /** Until when its main loop stands still for work of its own; its thread goes on. */
  heldUpUntil = 0;
  readonly machine: Machine;
  readonly thread: Living;

  constructor(machine: Machine) {
    this.machine = machine;
    this.thread = new Thread(this);
  }

  get stillUntil(): number {
    return Math.max(this.stalledUntil, this.heldUpUntil);
  }

  get name(): string {
    return this.machine.name;
  }
}

/** It lives and stops with its process, but not with that process's main loop. */
class Thread implements Living {
  readonly process: Life;

  constructor(process: Life) {
    this.process = process;
  }

  get alive(): boolean {
    return this.process.alive;
  }

  get stillUntil(): number {
    return this.process.stalledUntil;
  }
}

/** Virtual time: a queue of events, each of which ends with every microtask it caused. */
export class World {
  nowMs = 1_000_000;
  events = 0;
  readonly random: Random;
  readonly trace: string[] = [];
  private readonly seed: number;
  private readonly isVerbose: boolean;
  private queue: SimEvent[] = [];
  private order = 0;
  private readonly hash = createHash('sha256');

  constructor(seed: number, isVerbose: boolean) {
    this.seed = seed;
    this.isVerbose = isVerbose;
    this.random = seededRandom(seed * 2);
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + Math.floor(this.random.next() * (most - least + 1));
  }

  /** One of a list. */
  pick<T>(list: readonly [T, ...T[]]): T {
    return list[this.between(0, list.length - 1)] ?? list[0];
  }

  /** Randomness that only the seed and a name decide, so that it stays when a fault less changes everything else. */
  fate(about: string): Random {
    return seededRandom(crc32(`${this.seed} ${about}`));
  }

  note(text: string): void {
    const line = `${((this.nowMs - 1_000_000) / 1000).toFixed(3)} ${text}`;
    this.trace.push(line);
    this.hash.update(line);
  }

  /** What only whoever looks closer wants to read. */
  detail(text: () => string | undefined): void {
    const told = this.isVerbose ? text() : undefined;
    if (told !== undefined) this.note(told);
  }

  /** Names everything that happened: equal for equal seeds. */
  digest(): string {
    return this.hash.copy().digest('hex');
  }

  after(delayMs: number, label: string, happen: () => void, life?: Living): () => void {
    this.order += 1;
    const at = this.nowMs + Math.max(0, delayMs);
    const event: SimEvent = { at, order: this.order, life, label, happen, cancelled: false };
    this.insert(event);
    return () => (event.cancelled = true);
  }

  /** Takes a time of a process's own port; never comes back when the process has ended meanwhile. */
  pass(delayMs: number, label: string, life: Living): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, label, resolve, life));
  }

  /** The clock as one process sees it. */
  clock(life: Living): Clock {
    return {
      now: () => Math.floor(this.nowMs + life.process.machine.wallOffsetMs),
      monotonic: () => this.nowMs,
      after: (delayMs, callback) => this.after(delayMs, '', callback, life),
    };
  }

  /** Lets the next thing happen; false: nothing is left. */
  async step(): Promise<boolean> {
    const event = this.queue.pop();
    if (event === undefined) return false;
    const { life } = event;
    if (event.cancelled || life?.alive === false) return true;
    if (life !== undefined && life.stillUntil > event.at) {
      this.order += 1;
      event.at = life.stillUntil;
      event.order = this.order;
      this.insert(event);
      return true;
    }
    this.nowMs = Math.max(this.nowMs, event.at);
    this.events += 1;
    if (event.label !== '') this.note(event.label);
    event.happen();
    // Every microtask that this caused, and those they cause, runs before the next macrotask.
    await new Promise<void>((resolve) => setImmediate(resolve));
    return true;
  }

  /** Latest first, so that the next one is at the end. */
  private insert(event: SimEvent): void {
    let low = 0;
    let high = this.queue.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.queue[middle];
      const isLater =
        other !== undefined && (other.at > event.at || (other.at === event.at && other.order > event.order));
      if (isLater) low = middle + 1;
      else high = middle;
    }
    this.queue.splice(low, 0, event);
  }
}
