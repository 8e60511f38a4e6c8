import type { LeftOut } from './draft.ts';
import type { MarkdownModel } from './model.ts';
import type { Places } from './places.ts';
import { endOf } from './syntax.ts';

/** What the plan puts off, in order: its deferred sections as a whole, and single tasks. */
export function deferredParts({ deferred, deferredTasks }: MarkdownModel, places: Places): LeftOut[] {
  const parts: { title: string; from: number; to: number; path: readonly string[] }[] = [];
  for (const { title, offset, path, blocks } of deferred) {
    const last = blocks.at(-1);
    const to = last === undefined ? offset : endOf(last);
    const above = parts.at(-1);
    if (above !== undefined && isBeneath(path, above.path)) above.to = Math.max(above.to, to);
    else parts.push({ title, from: offset, to, path });
  }
  const sections = parts.map(({ title, from, to }) => {
    const [line, last] = [places.lineOf(from), places.lineOf(to)];
    return { id: title, line, why: last === line ? 'nothing stands below it' : `lines ${line} to ${last}` };
  });
  const tasks = deferredTasks.map(({ id, why }) => ({ id, line: places.lineOf(why.offset), why: why.text }));
  return [...sections, ...tasks].toSorted((a, b) => a.line - b.line);
}

function isBeneath(path: readonly string[], above: readonly string[]): boolean {
  return path.length > above.length && above.every((title, at) => path[at] === title);
}
