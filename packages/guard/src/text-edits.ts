/** Lines put into a text. Pure. */
import { GuardError } from './guard-error.ts';

/** The line end of a text: CR and LF where all of its lines have both. */
export function lineEndOf(text: string): '\r\n' | '\n' {
  return text.includes('\r\n') && !/(?<!\r)\n/.test(text) ? '\r\n' : '\n';
}

/**
 * Inserts before line `line + 1`: 0 is before the first line, the number of lines or more is at the end. Lines end as
 * those of the text do. Throws E_PATH_INVALID for what is no line number or no text.
 */
export function insertLines(text: string, line: number, content: string): string {
  if (typeof content !== 'string' || typeof line !== 'number' || Number.isNaN(line))
    throw new GuardError('E_PATH_INVALID', 'An insertion is a line number and a text', {
      path: String(line),
    });
  const lineEnd = lineEndOf(text);
  const lines = text.split(lineEnd);
  const at = Math.min(
    Math.max(0, Math.trunc(line)),
    text.endsWith(lineEnd) ? lines.length - 1 : lines.length,
  );
  const inserted =
    lineEnd === '\n' ? content.replace(/\n$/, '') : content.replace(/\r?\n$/, '').replace(/\r?\n/g, lineEnd);
  return [...lines.slice(0, at), inserted, ...lines.slice(at)].join(lineEnd);
}
