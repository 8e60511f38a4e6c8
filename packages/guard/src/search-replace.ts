/**
 * Changes of a text by blocks:
 *
 *     <<<<<<< SEARCH
 *     :start_line:12          optional: about where
 *     -------                 optional, behind hints
 *     text that is there
 *     =======
 *     text instead
 *     >>>>>>> REPLACE
 *
 * A marker that is part of the text has a backslash before it. Pure.
 */
import { checkHeader } from './diff-headers.ts';
import { GuardError } from './guard-error.ts';
import { lineEndOf } from './text-edits.ts';
import { findText, type Match } from './text-match.ts';

interface Block {
  readonly search: readonly string[];
  readonly replace: readonly string[];
  /** Line at which it begins, counted from 1; undefined without a hint. */
  readonly hint: number | undefined;
}

/**
 * Applies the blocks in their order, all or none. Each replaces the first place that is letter for letter the same, or
 * the one nearest to its hint; else the one place that differs only in blanks and line ends, with the indentation that
 * is there. Headers of a diff may stand around the blocks, and must name the same file. Throws E_NO_MATCH,
 * E_PATH_MISMATCH, E_NOT_REGULAR and E_BAD_PATTERN.
 */
export function applySearchReplace(text: string, diff: string, path: string): string {
  if (typeof diff !== 'string') throw noMatch('A diff is a text', path);
  let changed = text;
  /** How many lines blocks have added at which line, so that later hints still lead where they led. */
  const shifts: { readonly line: number; readonly by: number }[] = [];
  for (const block of parse(diff, path)) {
    const shift = shifts.filter(({ line }) => line <= (block.hint ?? 0)).reduce((sum, { by }) => sum + by, 0);
    const hint = block.hint === undefined ? undefined : block.hint + shift;
    const match = findText(changed, block.search, hint);
    if (match === undefined) throw noMatch('A SEARCH text is not in the file', path);
    if ('lines' in match)
      throw noMatch(
        `A SEARCH text is nearly the same at lines ${match.lines.join(' and ')}; give :start_line:`,
        path,
      );
    shifts.push({ line: block.hint ?? 0, by: block.replace.length - block.search.length });
    changed = replaceAt(changed, match, block);
  }
  return changed;
}

function replaceAt(text: string, match: Match, block: Block): string {
  const lines = block.replace.map(match.indent);
  const isWhole = match.start === 0 || text[match.start - 1] === '\n';
  const rest = /^\r?\n/.exec(text.slice(match.end))?.[0] ?? '';
  // No line instead of whole lines: their line end goes with them.
  const end = lines.length === 0 && isWhole ? match.end + rest.length : match.end;
  return text.slice(0, match.start) + lines.join(lineEndOf(text)) + text.slice(end);
}

const markers = { search: /^<{7} SEARCH/, middle: /^={7}\s*$/, replace: /^>{7} REPLACE/ };

/** The blocks of a diff. Everything else in it counts as headers. */
function parse(diff: string, path: string): readonly Block[] {
  const lines = diff.split('\n').map((line) => line.replace(/\r$/, ''));
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (!markers.search.test(line)) {
      checkHeader(line, path);
      continue;
    }
    const middle = lines.findIndex((each, index) => index > at && markers.middle.test(each));
    const end = lines.findIndex((each, index) => index > middle && markers.replace.test(each));
    const next = lines.findIndex((each, index) => index > at && markers.search.test(each));
    if (middle < 0 || end < 0 || (next >= 0 && next < end)) throw noMatch('A block is not finished', path);
    blocks.push(blockOf(lines.slice(at + 1, middle), lines.slice(middle + 1, end)));
    at = end;
  }
  if (blocks.length === 0) throw noMatch('The diff has no SEARCH block', path);
  if (blocks.some(({ search }) => search.join('').trim() === ''))
    throw noMatch('A SEARCH text is empty', path);
  return blocks;
}

function blockOf(head: readonly string[], replace: readonly string[]): Block {
  const hints = head.findIndex((line) => !/^:(?:start|end)_line:\s*\d+\s*$/.test(line));
  const hasRule = hints > 0 && /^-{7}\s*$/.test(head[hints] ?? '');
  const start = head.slice(0, Math.max(0, hints)).find((line) => line.startsWith(':start_line:'));
  return {
    search: head.slice(hasRule ? hints + 1 : Math.max(0, hints)).map(unescape),
    replace: replace.map(unescape),
    hint: start === undefined ? undefined : Number(start.slice(':start_line:'.length)),
  };
}

function unescape(line: string): string {
  return line.replace(/^\\(?=<{7}|={7}|>{7}|-{7}|:start_line:|:end_line:)/, '');
}

function noMatch(reason: string, path: string): GuardError {
  return new GuardError('E_NO_MATCH', reason, { path });
}
