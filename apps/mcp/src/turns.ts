/** Work that is done one after another, in the order in which it is asked for. */
export class Turns {
  private last: Promise<unknown> = Promise.resolve();

  take<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = this.last.then(work);
    // Who asked gets the error; the next turn comes all the same.
    this.last = mine.catch(() => undefined);
    return mine;
  }

  /** Resolves when all that was asked for is done. */
  async over(): Promise<void> {
    await this.last;
  }
}
