/** Keeps the head and the tail of a stream within a limit and counts all of it. */
export class OutputBuffer {
  readonly #headMax: number;
  readonly #tailMax: number;
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;
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
    const room = this.#headMax - this.#headBytes;
    const first = chunk.subarray(0, room);
    if (first.length > 0) {
      this.#head.push(first);
      this.#headBytes += first.length;
    }
    const rest = chunk.subarray(first.length);
    if (rest.length > 0) this.#addToTail(rest);
  }

  /** Text with a line that says how much is left out. */
  text(): string {
    const head = Buffer.concat(this.#head);
    const tail = this.#keptTail();
    if (!this.truncated) return Buffer.concat([head, tail]).toString('utf8');
    const left = this.#total - head.length - tail.length;
    return `${head.toString('utf8')}\n[... ${left} bytes left out ...]\n${tail.toString('utf8')}`;
  }

  /** At most twice the tail is held, so that cutting is rare and memory bounded. */
  #addToTail(chunk: Buffer): void {
    this.#tail.push(chunk);
    this.#tailBytes += chunk.length;
    if (this.#tailBytes <= 2 * this.#tailMax + 65_536) return;
    const kept = Buffer.from(this.#keptTail());
    this.#tail = [kept];
    this.#tailBytes = kept.length;
  }

  #keptTail(): Buffer {
    const all = Buffer.concat(this.#tail);
    return all.subarray(Math.max(0, all.length - this.#tailMax));
  }
}

/** Keeps the first bytes of a stream, for output that a program reads. */
export class HeadBuffer {
  readonly #limit: number;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #total = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  get truncated(): boolean {
    return this.#total > this.#limit;
  }

  add(chunk: Buffer): void {
    this.#total += chunk.length;
    const kept = chunk.subarray(0, this.#limit - this.#bytes);
    if (kept.length === 0) return;
    this.#chunks.push(kept);
    this.#bytes += kept.length;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}
