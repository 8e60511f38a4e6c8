/** One statement of an SQL text, comments taken out and blanks made one. */
export interface SqlStatement {
  readonly text: string;
  /** 1-based, both ends included. */
  readonly line: number;
  readonly endLine: number;
}

/** What stands as a piece: comments, strings, quoted names, bodies between dollar quotes, ends of statements. */
const piece =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*(?:'|$)|"[^"]*(?:"|$)|\$(\w{0,40})\$[\s\S]*?(?:\$\1\$|$)|;/g;

/** Takes an SQL text apart; strings and bodies stay whole. */
export function sqlStatements(text: string): SqlStatement[] {
  const found: SqlStatement[] = [];
  let words = '';
  let from = 0;
  let at = 0;
  const end = (to: number): void => {
    const start = from + (/^(?:\s|--[^\n]*\n)*/.exec(text.slice(from, to))?.[0].length ?? 0);
    const plain = words.replace(/\s+/g, ' ').trim();
    if (plain !== '')
      found.push({ text: plain, line: lineAt(text, start), endLine: lineAt(text, Math.max(start, to - 1)) });
    words = '';
    from = to + 1;
  };
  for (const match of text.matchAll(piece)) {
    const [token] = match;
    words += text.slice(at, match.index);
    at = match.index + token.length;
    if (token === ';') end(match.index);
    else if (!token.startsWith('--') && !token.startsWith('/*')) words += token;
    else words += ' ';
  }
  words += text.slice(at);
  end(text.length);
  return found;
}

let known = { text: '', offset: 0, line: 1 };

/** The line of an offset; offsets that grow cost each line once. */
function lineAt(text: string, offset: number): number {
  if (known.text !== text || known.offset > offset) known = { text, offset: 0, line: 1 };
  let { line } = known;
  for (let place = text.indexOf('\n', known.offset); place >= 0 && place < offset;) {
    line += 1;
    place = text.indexOf('\n', place + 1);
  }
  known = { text, offset, line };
  return line;
}
