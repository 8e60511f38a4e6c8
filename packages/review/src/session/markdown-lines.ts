/** One line of a Markdown text; a text joined of `text` and `end` again is the same, byte for byte. */
export interface MarkdownLine {
  /** 1-based. */
  readonly number: number;
  readonly text: string;
  /** How it ends: `\n`, `\r\n`, `\r`, or nothing at the end of the text. */
  readonly end: string;
  /** Inside a fenced block, where nothing is a heading or a list. */
  readonly isCode: boolean;
}

/** Splits a text into lines, each with its own end, and marks what is code. */
export function markdownLines(text: string): MarkdownLine[] {
  const lines: MarkdownLine[] = [];
  let fence = '';
  for (const [, content = '', end = ''] of text.matchAll(/([^\r\n]*)(\r\n|\n|\r|$)/g)) {
    if (content === '' && end === '') continue;
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(content)?.[1] ?? '';
    const closes = fence !== '' && mark.startsWith(fence) && content.trim() === mark;
    const isCode = fence !== '' || mark !== '';
    lines.push({ number: lines.length + 1, text: content, end, isCode });
    if (closes) fence = '';
    else if (fence === '') fence = mark;
  }
  return lines;
}

/** A heading of the `#` form. */
export function headingOf({
  text,
  isCode,
}: MarkdownLine): { readonly level: number; readonly title: string } | undefined {
  const [, marks = '', title = ''] = (isCode ? null : /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/.exec(text)) ?? [];
  return marks === '' ? undefined : { level: marks.length, title };
}

/** An item of a list: how far it is indented, whether it has a box, and what it says. */
export interface ListItem {
  readonly indent: number;
  /** Undefined: it has none. */
  readonly isTicked: boolean | undefined;
  /** Where in the line the mark between the brackets stands. */
  readonly markAt: number;
  readonly text: string;
  /** The number of an ordered item. */
  readonly number: number | undefined;
}

/** An item of a list; also a box that stands alone, without a bullet. */
export function listItemOf({ text, isCode }: MarkdownLine): ListItem | undefined {
  if (isCode) return undefined;
  const found = /^(\s*)(?:([-*+])|(\d{1,9})[.)])?(\s*)(?:\[([ xX])\]\s+)?(.*)$/.exec(text);
  const [, indent = '', bullet, ordinal, gap = '', mark, rest = ''] = found ?? [];
  const hasMarker = bullet !== undefined || ordinal !== undefined;
  if (hasMarker ? gap === '' : mark === undefined) return undefined;
  const before = indent.length + (bullet ?? (ordinal === undefined ? '' : `${ordinal}.`)).length + gap.length;
  return {
    indent: indent.replaceAll('\t', '    ').length,
    isTicked: mark === undefined ? undefined : mark !== ' ',
    markAt: before + 1,
    text: rest.trim(),
    number: ordinal === undefined ? undefined : Number(ordinal),
  };
}

/** The id that a text begins with, as tasks and requirements have them, and what follows it. */
export function leadingId(text: string): { readonly id: string; readonly rest: string } | undefined {
  const plain = text.replace(/^(\*\*|__)/, '');
  const found = /^(?:task\s+)?`?([A-Za-z]{0,6}-?\d+(?:\.\d+)*)`?(?=[.:)\]\s*_]|$)(.*)$/i.exec(plain);
  const [, id = '', rest = ''] = found ?? [];
  if (id === '') return undefined;
  return { id, rest: plainTitle(rest) };
}

/** A title without the marks around it. */
export function plainTitle(text: string): string {
  return text
    .replace(/(\*\*|__)/g, '')
    .replace(/^[\s.:)\]–—-]+/, '')
    .trim();
}
