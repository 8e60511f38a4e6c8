import type { RunEvent } from '@switchyard/protocol';

/** Reads the first `count` events of a run from where they are archived. */
export type LoadEvents = (count: number) => readonly RunEvent[];

/** Events kept in memory when those before them are archived, for watchers that are a little behind. */
const keptEvents = 1_000;

/** The events of a run: the latest in memory, the earlier ones read when somebody asks for them. */
export class EventLog {
  private recent: RunEvent[] = [];
  /** How many events are before `recent`. */
  private before: number;
  private readonly load: LoadEvents;
  private loaded: readonly RunEvent[] | undefined;

  constructor(archived: number, load: LoadEvents) {
    this.before = archived;
    this.load = load;
  }

  get length(): number {
    return this.before + this.recent.length;
  }

  push(event: RunEvent): void {
    this.recent.push(event);
  }

  /** The event of a place, counted from 0. */
  at(place: number): RunEvent | undefined {
    return place >= this.before ? this.recent[place - this.before] : this.earlier()[place];
  }

  /** All events, or those from a place on. */
  from(place: number): RunEvent[] {
    if (place >= this.before) return this.recent.slice(place - this.before);
    return [...this.earlier().slice(place), ...this.recent];
  }

  /** The first `count` can be loaded from now on: memory lets them go. */
  archived(count: number): void {
    const gone = Math.min(count, this.length - keptEvents) - this.before;
    if (gone <= 0) return;
    this.recent = this.recent.slice(gone);
    this.before += gone;
    this.loaded = undefined;
  }

  private earlier(): readonly RunEvent[] {
    this.loaded ??= this.load(this.before);
    return this.loaded;
  }
}
