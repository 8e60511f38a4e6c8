/** What the words of a plan mean by a name. */
export type Meaning =
  | { readonly kind: 'items'; readonly ids: readonly string[] }
  | { readonly kind: 'ambiguous'; readonly ids: readonly string[] }
  | { readonly kind: 'unknown' };

/** Words that say nothing about which task is meant. */
const idle: ReadonlySet<string> = new Set('the a an all review reviews task tasks'.split(' '));

/** The words of a name in lower case, without those that tell no task from another. */
export function wordsOf(text: string): string[] {
  const words = text
    .replace(/\([^)]*\)/g, ' ')
    .toLowerCase()
    .normalize('NFKC')
    .split(/[^\p{L}\p{N}.]+/u)
    .map((word) => word.replace(/^\.+|\.+$/g, ''))
    .filter((word) => word !== '');
  const telling = words.filter((word) => !idle.has(word));
  return telling.length > 0 ? telling : words;
}

/**
 * The names of all items: their own, and weaker ones (of their documents, of what stands around them), which count only
 * where no own name fits.
 */
export class Names {
  private readonly own = new Map<string, Set<string>>();
  private readonly weak = new Map<string, Set<string>>();
  private readonly words = new Map<string, ReadonlySet<string>[]>();

  add(id: string, names: readonly string[], strength: 'own' | 'weak' = 'own'): void {
    for (const name of names) {
      const words = wordsOf(name);
      if (words.length === 0) continue;
      addTo(this[strength], name.trim().toLowerCase(), id);
      addTo(this[strength], words.join(' '), id);
      this.words.set(id, [...(this.words.get(id) ?? []), new Set(words.map(singular))]);
    }
  }

  /** One item by a whole name or its telling words; else the only one of which a name has all these words. */
  find(text: string): Meaning {
    const words = wordsOf(text);
    if (words.length === 0) return { kind: 'unknown' };
    const keys = [text.trim().toLowerCase(), words.join(' ')];
    for (const map of [this.own, this.weak])
      for (const key of keys) {
        const same = map.get(key);
        if (same !== undefined) return meaningOf([...same]);
      }
    return meaningOf(this.having(words.map(singular)));
  }

  private having(words: readonly string[]): string[] {
    return [...this.words].flatMap(([id, names]) =>
      names.some((name) => words.every((word) => name.has(word))) ? [id] : [],
    );
  }

  /** Items of which some name stands, with all its words, in a text: `Optimizer` in "Optimizer rules may loop". */
  within(text: string): string[] {
    const there = new Set(wordsOf(text).map(singular));
    return [...this.words].flatMap(([id, names]) =>
      names.some((name) => [...name].every((word) => there.has(word))) ? [id] : [],
    );
  }
}

function meaningOf(ids: readonly string[]): Meaning {
  if (ids.length === 0) return { kind: 'unknown' };
  return ids.length === 1 ? { kind: 'items', ids } : { kind: 'ambiguous', ids };
}

function addTo(map: Map<string, Set<string>>, key: string, id: string): void {
  map.set(key, (map.get(key) ?? new Set()).add(id));
}

/** A word without its plural: `Packages` and `package` mean the same group. */
export function singular(word: string): string {
  if (/[^aeiou]ies$/.test(word)) return `${word.slice(0, -3)}y`;
  return /[^s]s$/.test(word) ? word.slice(0, -1) : word;
}
