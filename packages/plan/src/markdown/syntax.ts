import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table';
import { gfmTaskListItemFromMarkdown } from 'mdast-util-gfm-task-list-item';
import { gfmTable } from 'micromark-extension-gfm-table';
import { gfmTaskListItem } from 'micromark-extension-gfm-task-list-item';
import type { SourceText } from '../source-node.ts';

export type MarkdownRoot = ReturnType<typeof fromMarkdown>;
export type Block = MarkdownRoot['children'][number];
type Kind<Type extends Block['type']> = Extract<Block, { type: Type }>;
export type Heading = Kind<'heading'>;
export type Paragraph = Kind<'paragraph'>;
export type Table = Kind<'table'>;
export type TableRow = Table['children'][number];
export type List = Kind<'list'>;
export type ListItem = List['children'][number];
export type Node = MarkdownRoot | Block | ListItem | TableRow | TableRow['children'][number];

/** CommonMark with the tables and task lists of GitHub. Offsets are those of the text. */
export function parseMarkdown(text: string): MarkdownRoot {
  return fromMarkdown(text, {
    extensions: [gfmTable(), gfmTaskListItem()],
    mdastExtensions: [gfmTableFromMarkdown(), gfmTaskListItemFromMarkdown()],
  });
}

export function startOf(node: Node): number {
  return node.position?.start.offset ?? 0;
}

export function endOf(node: Node): number {
  return node.position?.end.offset ?? 0;
}

/** What a reader sees, in one line: markup left out, blanks folded. */
export function plainText(node: Node): string {
  return rawText(node).replace(/\s+/g, ' ').trim();
}

function rawText(node: Node): string {
  if ('value' in node) return node.type === 'html' ? '' : node.value;
  if (node.type === 'break') return ' ';
  if (!('children' in node)) return '';
  return node.children.map(rawText).join('');
}

/** The first text of an item, without the lists beneath it. */
export function headText(item: ListItem): string {
  const [first] = item.children;
  return first === undefined || first.type === 'list' ? '' : plainText(first);
}

/** Every node beneath, parents first. */
export function* everyNode(node: Node): Generator<Node> {
  yield node;
  if (!('children' in node)) return;
  for (const inner of node.children) yield* everyNode(inner);
}

/** The texts in backquotes, each with its place. */
export function codeSpans(nodes: readonly Node[]): SourceText[] {
  return nodes.flatMap((node) =>
    [...everyNode(node)].flatMap((inner) =>
      inner.type === 'inlineCode' ? [{ text: inner.value.trim(), offset: startOf(inner) }] : [],
    ),
  );
}

/** The items of all lists that stand among these blocks, without those of lists inside items. */
export function itemsOf(blocks: readonly Block[]): ListItem[] {
  return blocks.flatMap((block) => (block.type === 'list' ? block.children : []));
}

/** The path of the first Markdown document that is named in backquotes or by a link. */
export function documentIn(node: Node): SourceText | undefined {
  for (const inner of everyNode(node)) {
    const named =
      inner.type === 'inlineCode' ? inner.value : inner.type === 'link' ? inner.url.replace(/#.*$/, '') : '';
    if (isDocument(named.trim())) return { text: named.trim(), offset: startOf(inner) };
  }
  const bare = /(?<![\w/.-])[\w./-]+\.(?:md|markdown)(?![\w/-])/i.exec(plainText(node))?.[0];
  return bare === undefined ? undefined : { text: bare, offset: startOf(node) };
}

function isDocument(text: string): boolean {
  return /^[^\s:]+\.(md|markdown)$/i.test(text);
}

/** Documents match by the name of their file. */
export function fileNameOf(path: string): string {
  return (path.split(/[/\\]/).at(-1) ?? '').toLowerCase();
}
