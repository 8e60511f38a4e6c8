/** Reads through to a map that it never changes; what is got is copied first, so that it may be changed. */
export class CopyOnWriteMap<K, V> extends Map<K, V> {
  private readonly base: ReadonlyMap<K, V>;
  private readonly copy: (value: V) => V;
  private readonly deleted = new Set<K>();

  constructor(base: ReadonlyMap<K, V>, copy: (value: V) => V) {
    super();
    this.base = base;
    this.copy = copy;
  }

  override get(key: K): V | undefined {
    const own = super.get(key);
    if (own !== undefined || this.deleted.has(key)) return own;
    const shared = this.base.get(key);
    if (shared === undefined) return undefined;
    const copied = this.copy(shared);
    super.set(key, copied);
    return copied;
  }

  /** The value as it is now, not to be changed: costs no copy. */
  peek(key: K): V | undefined {
    return super.get(key) ?? (this.deleted.has(key) ? undefined : this.base.get(key));
  }

  override has(key: K): boolean {
    return super.has(key) || (!this.deleted.has(key) && this.base.has(key));
  }

  override set(key: K, value: V): this {
    this.deleted.delete(key);
    return super.set(key, value);
  }

  override delete(key: K): boolean {
    const had = this.has(key);
    super.delete(key);
    if (this.base.has(key)) this.deleted.add(key);
    return had;
  }

  override get size(): number {
    let added = 0;
    for (const key of super.keys()) if (!this.base.has(key)) added += 1;
    return this.base.size - this.deleted.size + added;
  }

  override *keys(): MapIterator<K> {
    for (const key of this.base.keys()) if (!this.deleted.has(key)) yield key;
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
