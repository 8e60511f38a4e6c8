/**
 * Keeps the head and the tail of a stream within a limit and counts all of it. What is kept is copied together: pieces
 * of one byte would each take a hundred times their size.
 */
export class OutputBuffer {
  readonly #headMax: number;
  readonly #tailMax: number;
  readonly #head = new Bytes();
  readonly #tail = new Bytes();
  #total = 0;

  constructor(limitBytes: number) {
    this.#headMax = Math.ceil(limitBytes / 2);
    this.#tailMax = limitBytes - this.#headMax;
  }

  /** All bytes ever added. */
  get totalBytes(): number {
    return this.#total;
  }

  get truncated(): boolean {
    return this.#total > this.#headMax + this.#tailMax;
  }

  add(chunk: Buffer): void {
    this.#total += chunk.length;
    const first = chunk.subarray(0, this.#headMax - this.#head.length);
    this.#head.append(first);
    const rest = chunk.subarray(first.length);
    if (rest.length > 0) this.#addToTail(rest);
  }

  /** Text with a line that says how much is left out. */
  text(): string {
    const head = this.#head.last(this.#headMax);
    const tail = this.#tail.last(this.#tailMax);
    if (!this.truncated) return Buffer.concat([head, tail]).toString('utf8');
    const left = this.#total - head.length - tail.length;
    return `${head.toString('utf8')}\n[... ${left} bytes left out ...]\n${tail.toString('utf8')}`;
  }

  /** At most twice the tail is held, so that cutting is rare and memory bounded. */
  #addToTail(chunk: Buffer): void {
    this.#tail.append(chunk);
    if (this.#tail.length > 2 * this.#tailMax + 65_536) this.#tail.keepLast(this.#tailMax);
  }
}

/** Keeps the first bytes of a stream, for output that a program reads. */
export class HeadBuffer {
  readonly #limit: number;
  readonly #kept = new Bytes();
  #total = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  get truncated(): boolean {
    return this.#total > this.#limit;
  }

  add(chunk: Buffer): void {
    this.#total += chunk.length;
    this.#kept.append(chunk.subarray(0, this.#limit - this.#kept.length));
  }

  bytes(): Uint8Array {
    return Buffer.from(this.#kept.last(this.#limit));
  }
}

/** Bytes that grow at their end, in one piece of memory at most twice as large. */
class Bytes {
  #memory: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(chunk: Buffer): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#memory.length) {
      const grown = Buffer.allocUnsafe(Math.max(1024, 2 * needed));
      this.#memory.copy(grown, 0, 0, this.#length);
      this.#memory = grown;
    }
    chunk.copy(this.#memory, this.#length);
    this.#length = needed;
  }

  /** The last bytes, as they are until more come. */
  last(count: number): Buffer {
    return this.#memory.subarray(Math.max(0, this.#length - count), this.#length);
  }

  keepLast(count: number): void {
    const kept = this.last(count);
    kept.copy(this.#memory);
    this.#length = kept.length;
  }
}
