import { oneLine, plainText } from './plain-text.ts';

/** Text inside a paragraph or a table cell: nothing in it is read as Markdown or HTML. */
export function escapeMarkdown(text: string, lengthMax = 300): string {
  return oneLine(text, lengthMax)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/[\\`*_[\]{}|#~!$]/g, '\\$&')
    .replace(/^([-+>=]|\d+[.)])/, '\\$1');
}

/** A code span with enough backticks around it. Not for table cells, unless the text has no `|`. */
export function codeSpan(text: string, lengthMax = 300): string {
  const line = oneLine(text, lengthMax);
  if (line === '') return '` `';
  const fence = '`'.repeat(longestRun(line) + 1);
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** A fenced block that the text cannot end. */
export function codeBlock(text: string, language = 'text'): string {
  const fence = '`'.repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}${language}\n${plainText(text).replace(/\n+$/, '')}\n${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}
