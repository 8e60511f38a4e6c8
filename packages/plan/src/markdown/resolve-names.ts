import type { SourceText } from '../source-node.ts';
import { isCompletePath, type Remark, type WaitName } from './draft.ts';
import type { Item, MarkdownModel } from './model.ts';
import { singular, wordsOf } from './names.ts';
import type { PutOffTask } from './put-off.ts';
import { fileNameOf } from './syntax.ts';

/** An item that something waits for, and where it says so. An id that no item has is reported by the checks of the graph. */
export interface Wait {
  readonly id: string;
  readonly offset: number;
}

/** Turns names as people write them (`Parser`, `Core API`, `All core`, `All`, `phase 2`) into ids. */
export class Resolver {
  readonly remarks: Remark[] = [];
  private readonly model: MarkdownModel;
  private readonly byFile: ReadonlyMap<string, string>;
  private readonly order: ReadonlyMap<string, number>;

  constructor(model: MarkdownModel) {
    this.model = model;
    this.byFile = new Map(
      model.items.flatMap(({ id, document }) => (document ? [[fileNameOf(document.text), id] as const] : [])),
    );
    this.order = new Map(model.items.flatMap(({ id, spot }) => (spot ? [[id, spot.phase] as const] : [])));
  }

  /** What `item` waits for by this name. */
  waits(name: WaitName, item: Item): Wait[] {
    const ids = this.ids(name, item);
    return ids.filter((id) => id !== item.id || ids.length === 1).map((id) => ({ id, offset: name.offset }));
  }

  private ids(name: WaitName, item: Item): readonly string[] {
    const { text, document, offset } = name;
    const group = this.group(text, item);
    if (group !== undefined) return group;
    if (/\.(md|markdown)$/i.test(text)) return this.byPath(name, item);
    const off = this.model.putOff.named(text);
    if (off !== undefined) return this.putOff(name, item, off);
    const meaning = this.model.names.find(text);
    if (meaning.kind === 'items') return meaning.ids;
    if (meaning.kind === 'ambiguous') return this.ambiguous(name, item, meaning.ids);
    if (document !== undefined) return this.byPath({ text: document, offset }, item);
    const parts = text.split(/\s+(?:and|&|\+)\s+/);
    const several = parts.length > 1 ? parts.map((part) => this.model.names.find(part)) : [];
    if (several.length > 0 && several.every(({ kind }) => kind === 'items'))
      return several.flatMap((each) => (each.kind === 'items' ? each.ids : []));
    const titled = this.titled(wordsOf(text));
    const part = titled === undefined ? this.model.putOff.meant(text) : undefined;
    return part === undefined ? (titled ?? [text.slice(0, 200)]) : this.putOff(name, item, part);
  }

  /** `All`, `All core`, `all component reviews`, `phase 2`; undefined: the text names no group. */
  private group(text: string, item: Item): readonly string[] | undefined {
    const phase = /^(?:all of )?phase\s+(\w+)/i.exec(text)?.[1]?.toLowerCase();
    if (phase !== undefined) {
      const number = this.model.phases.findIndex(({ key }) => key === phase);
      return number < 0 ? undefined : this.having((id) => this.order.get(id) === number);
    }
    if (!/^all\b/i.test(text)) return undefined;
    const words = wordsOf(text).filter((word) => !/^(all|others?|components?|earlier|phases?)$/.test(word));
    return words.length === 0 ? this.allBefore(item) : this.titled(words);
  }

  /** All tasks of earlier phases; for one that stands in no phase, all that do not themselves wait for all. */
  allBefore(item: Item): readonly string[] {
    const own = item.spot?.phase;
    if (own !== undefined) return this.having((id) => (this.order.get(id) ?? own) < own);
    const others = this.model.items.filter(
      ({ waits = [] }) => !waits.some(({ text }) => wordsOf(text).join() === 'all'),
    );
    return others.map(({ id }) => id).filter((id) => id !== item.id);
  }

  /** Items of the tables, or else of the phases, whose title has these words. */
  titled(words: readonly string[]): readonly string[] | undefined {
    const fits = (title: string): boolean => {
      const there = new Set(wordsOf(title).map(singular));
      return words.length > 0 && words.every((word) => there.has(singular(word)));
    };
    const tables = [...this.model.groups].filter(([title]) => fits(title));
    if (tables.length > 0) return [...new Set(tables.flatMap(([, ids]) => ids))];
    const phases = new Set(this.model.phases.flatMap(({ title }, number) => (fits(title) ? [number] : [])));
    return phases.size === 0 ? undefined : this.having((id) => phases.has(this.order.get(id) ?? -1));
  }

  private having(fits: (id: string) => boolean): string[] {
    return this.model.items.map(({ id }) => id).filter(fits);
  }

  private byPath({ text, offset }: SourceText, item: Item): readonly string[] {
    const id = this.byFile.get(fileNameOf(text));
    if (id !== undefined) return [id];
    const off = this.model.putOff.documented(text);
    if (off !== undefined) return this.putOff({ text, offset }, item, off);
    this.remarks.push({
      offset,
      code: 'PLAN_DOCUMENT_UNLISTED',
      message: `${item.id} waits for the document ${text}, which no table or phase lists; ${isCompletePath(text) ? 'it counts as done' : 'nothing waits for it'}`,
      fix: 'add a row for it, or remove the dependency',
    });
    return [];
  }

  private putOff({ offset }: SourceText, item: Item, { id, why }: PutOffTask): readonly string[] {
    this.remarks.push({
      offset,
      severity: 'error',
      code: 'PLAN_DEFERRED_NEEDED',
      message: `${item.id} waits for ${id}, which is deferred: ${why.text}`,
      fix: `defer ${item.id} as well, take ${id} up again, or remove the dependency`,
    });
    return [];
  }

  private ambiguous({ text, offset }: SourceText, item: Item, ids: readonly string[]): readonly string[] {
    this.remarks.push({
      offset,
      code: 'PLAN_NAME_AMBIGUOUS',
      message: `"${text}" in the dependencies of ${item.id} may mean ${ids.join(' or ')}; it waits for all of them`,
      fix: 'write the whole name',
    });
    return ids;
  }
}
