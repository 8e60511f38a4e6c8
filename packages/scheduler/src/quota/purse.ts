/** Money under one limit, in millionths of a dollar: of a run, of a task, of a day. */
export class Purse {
  limit: number | undefined;
  spent: number;
  /** The most that requests under way may cost. */
  reserved = 0;

  constructor(limit: number | undefined, spent = 0) {
    this.limit = limit;
    this.spent = spent;
  }

  get isUsedUp(): boolean {
    return this.limit !== undefined && this.spent >= this.limit;
  }

  /** Whether it surely has room for one more beside all that is under way. */
  hasRoomFor(microUsd: number): boolean {
    return this.limit === undefined || this.spent + this.reserved + microUsd <= this.limit;
  }
}
