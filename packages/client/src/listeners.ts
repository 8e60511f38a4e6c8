/** Listeners of named events. */
export class Listeners<Events extends object> {
  private readonly sets = new Map<keyof Events, Set<(event: never) => void>>();

  /** Adds a listener; the answer removes it. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const set = this.sets.get(name) ?? new Set();
    this.sets.set(name, set);
    set.add(listener);
    return () => set.delete(listener);
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    // The map keeps under each name only listeners of that name's event.
    for (const listener of this.sets.get(name) ?? []) (listener as (event: Events[Name]) => void)(event);
  }
}
