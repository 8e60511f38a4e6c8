import { Document, isMap, isSeq } from 'yaml';
import { readMarkdown } from './markdown/read-markdown.ts';
import { parsePlan, type ParseOptions, type ParseResult } from './parse-plan.ts';
import { formatPlace } from './problem.ts';
import { child, plainValue, type SourceNode } from './source-node.ts';

/** A Markdown plan written as YAML, with comments that name where each task comes from; only if it has no errors. */
export function importPlan(text: string, options: ParseOptions): ParseResult & { readonly yaml?: string } {
  const parsed = parsePlan(text, options);
  if (parsed.plan === undefined) return parsed;
  const { root, places, done, deferred } = readMarkdown(text, options);
  if (root === undefined) return parsed;
  const file = plainValue(root);
  const document = new Document({ version: 1, name: parsed.plan.name, ...(file as object) });
  const tasks = child(root, 'tasks');
  commentTasks(document, tasks?.kind === 'list' ? tasks.items : [], (offset) =>
    formatPlace(places.placeOf(offset)),
  );
  const left = done.map(({ id, line, why }) => ` done, and so left out: ${id} (line ${line}: ${why})`);
  const off = deferred.map(({ id, line, why }) => ` deferred, and so left out: ${id} (line ${line}: ${why})`);
  document.commentBefore = [` from ${options.file}; the comments name its lines`, ...left, ...off]
    .map((line) => line.replaceAll(/[\r\n]+/g, ' '))
    .join('\n');
  return { ...parsed, yaml: document.toString({ lineWidth: 110, blockQuote: 'literal' }) };
}

function commentTasks(
  document: Document,
  nodes: readonly SourceNode[],
  placeOf: (offset: number) => string,
): void {
  const tasks: unknown = document.get('tasks', true);
  if (!isSeq(tasks)) return;
  for (const [at, task] of tasks.items.entries()) {
    const id = child(nodes[at], 'id') ?? nodes[at];
    if (isMap(task) && id !== undefined) task.commentBefore = ` ${placeOf(id.offset)}`;
  }
}
