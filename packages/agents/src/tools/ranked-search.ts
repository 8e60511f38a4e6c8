/**
 * The ranked search of the code base: pieces of files scored by Okapi BM25 over the parts of their words, so that
 * `readUserToken` is found by "user token". Local, nothing is kept. Source: Robertson and Zaragoza, "The Probabilistic
 * Relevance Framework: BM25 and Beyond" (2009), with the usual k1 = 1.2 and b = 0.75.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isAppError } from '@switchyard/protocol';
import { isFolder, type FileAccess } from './file-access.ts';
import { toolLimits } from './tool-limits.ts';

export interface RankedHit {
  readonly file: string;
  /** Counted from 1. */
  readonly firstLine: number;
  readonly lastLine: number;
  readonly score: number;
  /** The lines that have most of the words. */
  readonly text: string;
}

export interface RankedSearch {
  readonly folder: string;
  readonly query: string;
  readonly signal: AbortSignal;
}

interface Piece {
  readonly file: string;
  readonly firstLine: number;
  readonly lines: readonly string[];
  readonly length: number;
  /** How often it has each word of the query. */
  readonly counts: ReadonlyMap<string, number>;
}

const pieceLines = 40;
const shownLines = 12;
const hitsPerFileMax = 2;
const k1 = 1.2;
const b = 0.75;
/** A word in the name of a file weighs as much as so many in its text. */
const nameWeight = 3;

/** The best places for the words of a query. Rejects with what the files say, and with the signal's reason. */
export async function searchRanked(
  files: FileAccess,
  search: RankedSearch,
): Promise<{ readonly hits: readonly RankedHit[]; readonly filesLeftOut: number }> {
  const words = new Set(wordsOf(search.query));
  const { pieces, lengthSum, filesLeftOut } = await collect(files, { ...search, words });
  const averageLength = lengthSum / Math.max(1, pieces.length);
  const rarity = new Map([...words].map((word) => [word, rarityOf(word, pieces)]));
  const scored = pieces
    .filter(({ counts }) => counts.size > 0)
    .map((piece) => ({ piece, score: scoreOf(piece, rarity, averageLength) }))
    .sort((one, other) => other.score - one.score || (one.piece.file < other.piece.file ? -1 : 1));
  const perFile = new Map<string, number>();
  const hits: RankedHit[] = [];
  for (const { piece, score } of scored) {
    const before = perFile.get(piece.file) ?? 0;
    if (before >= hitsPerFileMax) continue;
    perFile.set(piece.file, before + 1);
    hits.push({ ...best(piece, words), file: piece.file, score });
    if (hits.length >= toolLimits.rankedHits) break;
  }
  return { hits, filesLeftOut };
}

/** Parts of words in lower case, without their endings: `readHTTPHeader_2` is read, http, header, 2. */
export function wordsOf(text: string): string[] {
  const parts = text.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|(?:(?![A-Za-z])\p{L})+/gu) ?? [];
  return parts.map((part) => stem(part.toLowerCase())).filter((word) => word !== '');
}

/** Cuts the usual endings of English words, so that "caching" finds "cache"; what is cut wrongly is cut on both sides. */
function stem(word: string): string {
  if (word.length < 4) return word;
  const single = word
    .replace(/ies$/, 'y')
    .replace(/(ss|sh|ch|x)es$/, '$1')
    .replace(/([^su])s$/, '$1');
  const bare = single.length > 5 ? single.replace(/(?:ing|ed)$/, '') : single;
  return bare.replace(/([bdgmnprt])\1$/, '$1').replace(/(?<=...)e$/, '');
}

function rarityOf(word: string, pieces: readonly Piece[]): number {
  const having = pieces.filter(({ counts }) => counts.has(word)).length;
  return Math.log(1 + (pieces.length - having + 0.5) / (having + 0.5));
}

function scoreOf(
  { counts, length }: Piece,
  rarity: ReadonlyMap<string, number>,
  averageLength: number,
): number {
  let score = 0;
  for (const [word, count] of counts) {
    const norm = count + k1 * (1 - b + (b * length) / averageLength);
    score += (rarity.get(word) ?? 0) * ((count * (k1 + 1)) / norm);
  }
  return score;
}

/** The lines of a piece around the one that has most of the words. */
function best(
  { lines, firstLine }: Piece,
  words: ReadonlySet<string>,
): Pick<RankedHit, 'firstLine' | 'lastLine' | 'text'> {
  const having = lines.map((line) => new Set(wordsOf(line).filter((word) => words.has(word))).size);
  const at = having.indexOf(Math.max(...having));
  const from = Math.max(0, Math.min(at - 2, lines.length - shownLines));
  const shown = lines.slice(from, from + shownLines).map((line) => line.slice(0, 200));
  return {
    firstLine: firstLine + from,
    lastLine: firstLine + from + shown.length - 1,
    text: shown.map((line, index) => `${firstLine + from + index} | ${line}`).join('\n'),
  };
}

interface Collected {
  readonly pieces: readonly Piece[];
  readonly lengthSum: number;
  readonly filesLeftOut: number;
}

/** Reads the text files below a folder into pieces; lets others run in between, since each read is one long step. */
async function collect(
  files: FileAccess,
  { folder, words, signal }: RankedSearch & { readonly words: ReadonlySet<string> },
): Promise<Collected> {
  const names = await filesBelow(files, folder);
  const pieces: Piece[] = [];
  let bytesLeft: number = toolLimits.rankedBytes;
  let lengthSum = 0;
  let read = 0;
  let turnEndsAt = performance.now() + toolLimits.turnMs;
  for (const file of names.slice(0, toolLimits.rankedFiles)) {
    if (bytesLeft <= 0) break;
    read += 1;
    if (performance.now() > turnEndsAt) {
      await nextTurn();
      signal.throwIfAborted();
      turnEndsAt = performance.now() + toolLimits.turnMs;
    }
    const text = await textOf(files, file);
    if (text === undefined) continue;
    bytesLeft -= text.length;
    for (const piece of piecesOf(file, text, words)) {
      lengthSum += piece.length;
      pieces.push(piece);
    }
  }
  return { pieces, lengthSum, filesLeftOut: names.length - read };
}

const passedOver = /(^|\/)(\.git|node_modules)(\/|$)|(^|\/)package-lock\.json$|\.(min\.js|map|lock)$/;

async function filesBelow(files: FileAccess, folder: string): Promise<string[]> {
  if (!isFolder(files, folder) && files.explain(folder, 'read').allowed) return [folder];
  const entries = await files.listFiles(folder, { recursive: true });
  const prefix = folder === '.' || folder === '' ? '' : `${folder.replace(/\/+$/, '')}/`;
  return entries
    .filter((entry) => entry.kind === 'file' && !passedOver.test(entry.path))
    .map((entry) => prefix + entry.path);
}

/** Nothing of what is no text, too large, gone by now, or denied: it is not what is looked for. */
async function textOf(files: FileAccess, file: string): Promise<string | undefined> {
  try {
    const bytes = await files.readFile(file);
    if (bytes.length > toolLimits.rankedFileBytes) return undefined;
    return bytes.subarray(0, 8192).includes(0) ? undefined : new TextDecoder().decode(bytes);
  } catch (error) {
    if (isAppError(error)) return undefined;
    throw error;
  }
}

function piecesOf(file: string, text: string, words: ReadonlySet<string>): Piece[] {
  const lines = text.split('\n');
  const named = wordsOf(file).filter((word) => words.has(word));
  const pieces: Piece[] = [];
  for (let at = 0; at < lines.length; at += pieceLines) {
    const own = lines.slice(at, at + pieceLines);
    const counts = new Map<string, number>();
    const add = (word: string, weight: number) => counts.set(word, (counts.get(word) ?? 0) + weight);
    const all = wordsOf(own.join('\n'));
    for (const word of all) if (words.has(word)) add(word, 1);
    // The name alone makes the beginning of a file a hit, not each piece of it.
    if (at === 0 || counts.size > 0) for (const word of named) add(word, nameWeight);
    pieces.push({ file, firstLine: at + 1, lines: own, length: all.length, counts });
  }
  return pieces;
}
