import { fstatSync } from 'node:fs';
import { createContext, Script } from 'node:vm';
import { fileBytesMax, readContent } from './file-content.ts';
import { GuardError } from './guard-error.ts';
import { checkReadable, checkRegular, type AccessPolicy } from './path-access.ts';
import type { Found } from './resolve.ts';
import { walkTree } from './tree-walk.ts';

const hitsMax = 10_000;
const lineShownMax = 500;
/** All of one search; a pattern that needs longer explodes. */
const searchMs = 5000;

/** Lines that match in the text files below a place: `file:line:text`. Binary and large files are left out. */
export function searchTree(
  access: AccessPolicy,
  found: Found,
  options: { readonly asked: string; readonly pattern: string },
): string[] {
  const find = compile(options);
  const hits: string[] = [];
  const prefix = found.place.relative === '' ? '' : `${found.place.relative}/`;
  const look = (descriptor: number, name: string): void => {
    const content = readContent(descriptor, options.asked);
    if (content.subarray(0, 8192).includes(0)) return;
    for (const [line, text] of find(content.toString('utf8'), hitsMax - hits.length))
      hits.push(`${name}:${line}:${text.slice(0, lineShownMax)}`);
  };
  if (!fstatSync(found.descriptor).isDirectory()) {
    checkRegular(found.descriptor, options.asked);
    look(found.descriptor, found.place.path.slice(found.place.path.lastIndexOf('/') + 1));
    return hits;
  }
  walkTree(found.descriptor, {
    recursive: true,
    visit: ({ relative, kind, stat, descriptor }) => {
      if (access.isDenied(`${prefix}${relative}`)) return false;
      if (kind !== 'file' || stat.size > fileBytesMax) return true;
      const place = { ...found.place, relative: `${prefix}${relative}` };
      if (isReadable(() => checkReadable(access, place, { asked: options.asked, stat })))
        look(descriptor, relative);
      return hits.length >= hitsMax ? 'stop' : true;
    },
  });
  return hits;
}

function isReadable(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (!(error instanceof GuardError)) throw error;
    return false; // another name of a denied file
  }
}

type Find = (text: string, most: number) => [line: number, text: string][];

/** Runs the pattern in a context whose time is limited: some patterns take longer than the universe. */
function compile({ asked, pattern }: { readonly asked: string; readonly pattern: string }): Find {
  const badPattern = (reason: string): GuardError => new GuardError('E_BAD_PATTERN', reason, { path: asked });
  if (typeof pattern !== 'string' || pattern.length > 4096)
    throw badPattern('A pattern is a text of at most 4096 signs');
  const context = createContext({ pattern, text: '', most: 0 });
  const run = (code: string, timeout: number): unknown => {
    try {
      return new Script(code).runInContext(context, { timeout: Math.max(1, timeout) });
    } catch (error) {
      const isTimeout =
        error instanceof Error && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
      throw badPattern(isTimeout ? 'The pattern explodes' : 'Not a regular expression');
    }
  };
  run("expression = new RegExp(pattern, 'u')", 1000);
  let leftMs = searchMs;
  return (text, most) => {
    Object.assign(context, { text, most });
    const startedAt = performance.now();
    const found = run(searchCode, leftMs);
    leftMs -= performance.now() - startedAt;
    return JSON.parse(String(found)) as [number, string][]; // written by the script below
  };
}

const searchCode = `
JSON.stringify(text.split('\\n').flatMap((line, index) => expression.test(line) ? [[index + 1, line]] : []).slice(0, most))
`;
