/** A pattern of somebody who is not trusted, run so that it cannot take for ever. */
import { createContext, Script } from 'node:vm';
import { GuardError } from './guard-error.ts';

const patternLengthMax = 4096;
/** All of one search, and one file of it; a pattern that needs longer explodes. */
const searchMs = 5000;
const fileMs = 1000;

export interface SearchPattern {
  /** The pattern without its leading flags. */
  readonly source: string;
  readonly ignoresCase: boolean;
  /** The lines of a text that match, at most so many, counted from 1. Throws E_BAD_PATTERN when it explodes. */
  find(text: string, most: number): readonly (readonly [line: number, text: string])[];
}

/**
 * Compiles a regular expression of JavaScript; flags may stand at its start as in other tools, `(?i)`. Throws
 * E_BAD_PATTERN.
 */
export function compilePattern(pattern: unknown, asked: string): SearchPattern {
  if (typeof pattern !== 'string' || pattern.length > patternLengthMax)
    throw bad(`A pattern is a text of at most ${patternLengthMax} signs`, asked);
  const [, leading = ''] = /^\(\?([ims]+)\)/.exec(pattern) ?? [];
  const source = leading === '' ? pattern : pattern.slice(leading.length + 3);
  const flags = [...new Set(leading)].join('');
  const context = createContext({
    pattern: source,
    flags: usableFlags(source, flags, asked),
    text: '',
    most: 0,
  });
  run(context, 'expression = new RegExp(pattern, flags)', { ms: fileMs, asked });
  let leftMs = searchMs;
  const find: SearchPattern['find'] = (text, most) => {
    if (leftMs <= 0) throw bad('The search takes too long', asked);
    Object.assign(context, { text, most });
    const startedAt = performance.now();
    const found = run(context, searchCode, { ms: Math.min(fileMs, leftMs), asked });
    leftMs -= performance.now() - startedAt;
    return JSON.parse(String(found)) as [number, string][]; // written by the script below
  };
  return { source, ignoresCase: flags.includes('i'), find };
}

/** By code points; else as patterns were read before, which allows to escape any sign. */
function usableFlags(source: string, flags: string, asked: string): string {
  for (const tried of [`${flags}u`, flags])
    try {
      return new RegExp(source, tried).flags;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  throw bad('Not a regular expression', asked);
}

function run(
  context: ReturnType<typeof createContext>,
  code: string,
  { ms, asked }: { readonly ms: number; readonly asked: string },
): unknown {
  try {
    return new Script(code).runInContext(context, { timeout: Math.max(1, Math.ceil(ms)) });
  } catch (error) {
    // It is made in the other context, and no Error of ours.
    const isTimeout =
      typeof error === 'object' &&
      error !== null &&
      'code' in error &&
      error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
    if (!isTimeout) throw error;
    throw bad('The pattern explodes', asked);
  }
}

function bad(reason: string, path: string): GuardError {
  return new GuardError('E_BAD_PATTERN', reason, { path });
}

const searchCode = `
JSON.stringify(text.split('\\n').flatMap((line, index) => expression.test(line) ? [[index + 1, line]] : []).slice(0, most))
`;
