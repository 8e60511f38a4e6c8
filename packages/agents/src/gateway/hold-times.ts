interface Hold {
  waiting: number;
  since: number;
  ms: number;
}

/** How long each attempt had something waiting. */
export class HoldTimes {
  private readonly holds = new Map<string, Hold>();

  begin(name: string, at: number): void {
    const hold = this.holds.get(name) ?? { waiting: 0, since: at, ms: 0 };
    this.holds.set(name, hold);
    if (hold.waiting === 0) hold.since = at;
    hold.waiting += 1;
  }

  end(name: string, at: number): void {
    const hold = this.holds.get(name);
    if (hold === undefined) return;
    hold.waiting -= 1;
    if (hold.waiting === 0) hold.ms += at - hold.since;
  }

  of(name: string, at: number): number {
    const hold = this.holds.get(name);
    if (hold === undefined) return 0;
    return hold.ms + (hold.waiting > 0 ? at - hold.since : 0);
  }

  forget(name: string): void {
    this.holds.delete(name);
  }
}
