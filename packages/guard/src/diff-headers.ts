/** Lines around the blocks of a diff: they may say which file is meant, and then must mean the one that was named. */
import { posix } from 'node:path';
import { GuardError } from './guard-error.ts';

/** Throws for a header that means another file, or makes something other than a text file. */
export function checkHeader(line: string, path: string): void {
  const mode = /^(?:new file mode|old mode|new mode|deleted file mode|index \S+) ?(\d{6})/.exec(line)?.[1];
  if (mode !== undefined && !/^100[0-7]{3}$/.test(mode))
    throw new GuardError('E_NOT_REGULAR', 'The diff makes something other than a file', { path });
  if (/^(?:GIT binary patch|Binary files )/.test(line))
    throw new GuardError('E_BAD_PATTERN', 'The diff is binary', { path });
  for (const name of namesOf(line))
    if (!isSameFile(name, path))
      throw new GuardError('E_PATH_MISMATCH', 'The diff names another file', { path });
}

function namesOf(line: string): string[] {
  const single = /^(?:---|\+\+\+|rename from|rename to|copy from|copy to) (.+?)(?:\t.*)?$/.exec(line)?.[1];
  if (single !== undefined) return [unquote(single)];
  const [, first, second] = /^diff --git ("(?:[^"\\]|\\.)*"|\S+) ("(?:[^"\\]|\\.)*"|\S+)$/.exec(line) ?? [];
  return first === undefined || second === undefined ? [] : [unquote(first), unquote(second)];
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};

/** Git quotes names with signs of other scripts as C does: `"a/caf\303\251"`. */
function unquote(name: string): string {
  const inner = /^"(.*)"$/s.exec(name)?.[1];
  if (inner === undefined) return name;
  const bytes = inner.replace(
    /\\([0-7]{3})|\\(.)|([^\\]+)/gs,
    (_, octal?: string, escape?: string, text?: string) => {
      if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8) & 0xff);
      if (escape !== undefined) return escapes[escape] ?? escape;
      return Buffer.from(text ?? '', 'utf8').toString('latin1');
    },
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function isSameFile(name: string, path: string): boolean {
  if (name === '/dev/null') return true;
  const wanted = posix.normalize(path);
  return [name, name.replace(/^[ab]\//, '')].some((read) => {
    const normal = posix.normalize(read);
    // What climbs is the end of no absolute path that is normal.
    return normal === wanted || (posix.isAbsolute(wanted) && wanted.endsWith(`/${normal}`));
  });
}
