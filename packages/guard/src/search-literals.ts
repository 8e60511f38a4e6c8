/**
 * Texts of which a line that matches a regular expression must hold at least one. Careful rather than complete: what is
 * not surely a letter of every match ends a run of letters. Pure.
 */

/** Shorter ones say too little. */
const lengthMin = 2;
const plain = /^[\w \-/:;,<>=!@#%&"'`~]$/;

/** One text for each alternative, or undefined when an alternative has none that is long enough. */
export function requiredLiterals(source: string): readonly string[] | undefined {
  const best = [''];
  let run = '';
  const end = (): void => {
    if (run.length > (best.at(-1) ?? '').length) best[best.length - 1] = run;
    run = '';
  };
  for (let at = 0; at < source.length;) {
    const { letter, next } = atom(source, at);
    const count = quantifier(source, next);
    if (source[at] === '|') {
      end();
      best.push('');
    } else if (letter === undefined || count.isOptional) end();
    else {
      run += letter;
      if (count.next > next) end();
    }
    at = count.next;
  }
  end();
  return best.every((text) => text.length >= lengthMin) ? best : undefined;
}

/** The atom that begins here; `letter` only when it stands for itself. */
function atom(source: string, at: number): { readonly letter: string | undefined; readonly next: number } {
  const sign = source.charAt(at);
  if (sign === '\\') {
    const escaped = source.charAt(at + 1);
    const isItself = /^[.*+?^${}()|[\]\\/-]$/.test(escaped);
    return isItself
      ? { letter: escaped, next: at + 2 }
      : { letter: undefined, next: endOfEscape(source, at) };
  }
  if (sign === '[') return { letter: undefined, next: endOfClass(source, at) };
  if (sign === '(') return { letter: undefined, next: endOfGroup(source, at) };
  return { letter: plain.test(sign) ? sign : undefined, next: at + 1 };
}

function endOfEscape(source: string, at: number): number {
  const rest = source.slice(at);
  const whole =
    /^\\(?:u\{[^}]*\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|[pPk](?:\{[^}]*\}|<[^>]*>)|c[a-zA-Z]|\d+|.?)/su.exec(
      rest,
    );
  return at + (whole?.[0].length ?? 1);
}

function endOfClass(source: string, at: number): number {
  for (let index = at + 1; index < source.length; index += 1) {
    if (source[index] === '\\') index += 1;
    else if (source[index] === ']') return index + 1;
  }
  return source.length;
}

function endOfGroup(source: string, at: number): number {
  let depth = 0;
  for (let index = at; index < source.length; index += 1) {
    const sign = source[index];
    if (sign === '\\') index += 1;
    else if (sign === '[') index = endOfClass(source, index) - 1;
    else if (sign === '(') depth += 1;
    else if (sign === ')' && --depth === 0) return index + 1;
  }
  return source.length;
}

/** A quantifier that begins here, or none; one that allows nothing makes its atom optional. */
function quantifier(source: string, at: number): { readonly isOptional: boolean; readonly next: number } {
  const [whole = '', least] = /^(?:[*+?]|\{(\d+)(?:,\d*)?\})\??/.exec(source.slice(at)) ?? [];
  const isOptional = /^[*?]/.test(whole) || Number(least ?? 1) === 0;
  return { isOptional, next: at + whole.length };
}
