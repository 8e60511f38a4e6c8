/** Reads through to a map that it never changes; what is got is copied first, so that it may be changed. */
export class CopyOnWriteMap<K, V> extends Map<K, V> {
  private readonly base: ReadonlyMap<K, V>;
  private readonly copy: (value: V) => V;

  constructor(base: ReadonlyMap<K, V>, copy: (value: V) => V) {
    super();
    this.base = base;
    this.copy = copy;
  }

  override get(key: K): V | undefined {
    const own = super.get(key);
    if (own !== undefined) return own;
    const shared = this.base.get(key);
    if (shared === undefined) return undefined;
    const copied = this.copy(shared);
    super.set(key, copied);
    return copied;
  }

  /** The value as it is now, not to be changed: costs no copy. */
  peek(key: K): V | undefined {
    return super.get(key) ?? this.base.get(key);
  }

  override has(key: K): boolean {
    return super.has(key) || this.base.has(key);
  }

  /** Entries are never deleted: tasks stay. */
  override delete(): boolean {
    throw new Error('nothing is deleted from a copy-on-write map');
  }

  override get size(): number {
    let added = 0;
    for (const key of super.keys()) if (!this.base.has(key)) added += 1;
    return this.base.size + added;
  }

  override *keys(): MapIterator<K> {
    yield* this.base.keys();
    for (const key of super.keys()) if (!this.base.has(key)) yield key;
  }

  override *entries(): MapIterator<[K, V]> {
    for (const key of this.keys()) {
      const value = this.peek(key);
      if (value !== undefined) yield [key, value];
    }
  }

  override *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  override [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }

  override forEach(callback: (value: V, key: K, map: Map<K, V>) => void): void {
    for (const [key, value] of this.entries()) callback(value, key, this);
  }
}
