import type { Journal, NewFact, ReadOptions, StoredFact } from '@switchyard/store';

/** A journal whose disk a test holds up or breaks; what it has kept is read as ever. */
export class HeldJournal implements Journal {
  private readonly inner: Journal;
  private waiting: (() => void)[] | undefined;
  private broken: Error | undefined;
  /** Facts appended so far, whether the disk has them or not. */
  readonly appended: NewFact[] = [];

  constructor(inner: Journal) {
    this.inner = inner;
  }

  /** From now on appends wait. */
  hold(): void {
    this.waiting ??= [];
  }

  /** What waited is kept, and nothing waits any more. */
  release(): void {
    const waiting = this.waiting ?? [];
    this.waiting = undefined;
    for (const go of waiting) go();
  }

  /** From now on appends fail, until there is no error any more. */
  break(error: Error | undefined): void {
    this.broken = error;
  }

  async append(stream: string, at: number, facts: readonly NewFact[]): Promise<number> {
    this.appended.push(...facts);
    const { waiting } = this;
    if (waiting !== undefined) await new Promise<void>((resolve) => waiting.push(resolve));
    if (this.broken !== undefined) throw this.broken;
    return this.inner.append(stream, at, facts);
  }

  read(options?: ReadOptions): Iterable<StoredFact> {
    return this.inner.read(options);
  }

  streams(): string[] {
    return this.inner.streams();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
