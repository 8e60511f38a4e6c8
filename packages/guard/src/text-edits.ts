/** Changes of a text that a tool asks for. Pure. */
import { posix } from 'node:path';
import { GuardError } from './guard-error.ts';

/** Inserts before line `line + 1`: 0 is before the first line, the number of lines or more is at the end. */
export function insertLines(text: string, line: number, content: string): string {
  const lines = text.split('\n');
  const at = Math.min(Math.max(0, Math.trunc(line)), text.endsWith('\n') ? lines.length - 1 : lines.length);
  return [...lines.slice(0, at), content.replace(/\n$/, ''), ...lines.slice(at)].join('\n');
}

const block = /^<{7} SEARCH[^\n]*\n([\s\S]*?)^={7}\n([\s\S]*?)^>{7} REPLACE[^\n]*(?:\n|$)/gm;

/**
 * Applies blocks of `<<<<<<< SEARCH`, `=======`, `>>>>>>> REPLACE`, each at its first match, all or none. Headers
 * of a diff may stand before them, and must name the same file.
 */
export function applySearchReplace(text: string, diff: string, path: string): string {
  checkHeaders(diff.split(/^<{7} SEARCH/m)[0] ?? '', path);
  const blocks = [...diff.matchAll(block)];
  if (blocks.length === 0) throw new GuardError('E_NO_MATCH', 'The diff has no SEARCH block', { path });
  return blocks.reduce(
    (before, [, search = '', replace = '']) => replaceFirst(before, { search, replace, path }),
    text,
  );
}

function replaceFirst(
  text: string,
  { search, replace, path }: { readonly search: string; readonly replace: string; readonly path: string },
): string {
  const wanted = search.replace(/\n$/, '');
  const at = text.indexOf(wanted);
  if (wanted === '') throw new GuardError('E_NO_MATCH', 'A SEARCH text is empty', { path });
  if (at < 0) throw new GuardError('E_NO_MATCH', 'A SEARCH text is not in the file', { path });
  return text.slice(0, at) + replace.replace(/\n$/, '') + text.slice(at + wanted.length);
}

function checkHeaders(headers: string, path: string): void {
  for (const line of headers.split('\n')) {
    const mode = /^(?:new file mode|old mode|new mode|deleted file mode|index \S+) ?(\d{6})/.exec(line)?.[1];
    if (mode !== undefined && !mode.startsWith('100'))
      throw new GuardError('E_NOT_REGULAR', 'The diff makes something other than a file', { path });
    if (/^(?:GIT binary patch|Binary files )/.test(line))
      throw new GuardError('E_BAD_PATTERN', 'The diff is binary', { path });
    for (const name of namesOf(line))
      if (!isSameFile(name, path))
        throw new GuardError('E_PATH_MISMATCH', 'The diff names another file', { path });
  }
}

function namesOf(line: string): string[] {
  const single = /^(?:---|\+\+\+|rename from|rename to|copy from|copy to) (.+?)(?:\t.*)?$/.exec(line)?.[1];
  if (single !== undefined) return [single];
  const both = /^diff --git (\S+) (\S+)$/.exec(line);
  return both === null ? [] : both.slice(1);
}

function isSameFile(name: string, path: string): boolean {
  if (name === '/dev/null') return true;
  const wanted = posix.normalize(path);
  return [name, name.replace(/^[ab]\//, '')].some((read) => {
    const normal = posix.normalize(read);
    return (
      normal === wanted ||
      (posix.isAbsolute(wanted) && !normal.startsWith('..') && wanted.endsWith(`/${normal}`))
    );
  });
}
