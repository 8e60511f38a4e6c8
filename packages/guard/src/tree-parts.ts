/**
 * How a large tree is shared out to two `find`s, which take two thirds of the time of one: it is cut at one entry. The
 * first part is what `find` lists before it, the second the rest, so that both behind one another are the very listing
 * that one `find` makes:
 *
 *     .  a  b  c/  c/d  c/e/  c/e/f │ c/e/g  c/h  i        the folders on the way to the cut: c, c/e
 *     starts: a b c c/d c/e c/e/f   │ c/e/g c/h i          c and c/e are told, but not gone into
 */
import { isUtf8 } from 'node:buffer';
import { closeSync, constants, openSync, opendirSync } from 'node:fs';
import { O_PATH } from './descriptor.ts';
import { recordAt, recordStart } from './listing-record.ts';

/** What one `find` looks at; paths are relative to the tree and begin with `./`, all but `.` itself. */
export interface TreePart {
  readonly starts: readonly string[];
  /** Folders among the starts that it does not go into: what they hold are starts, too. */
  readonly shallow: readonly string[];
}

export const wholeTree: readonly [TreePart] = [{ starts: ['.'], shallow: [] }];

/** Of a listing. Below this, about 4,000 entries, a second process costs more than it saves. */
const splitFromBytes = 400_000;
/** A few hundred kilobytes of arguments at most. */
const startsMax = 2_000;
const startCharactersMax = 200_000;
const depthMax = 8;

/** Where a tree is cut, as far as the way down to there has been gone. */
interface Cut {
  /** What the first part tells. */
  readonly before: readonly string[];
  /** The folders on the way. */
  readonly shallow: readonly string[];
  /** The second part begins with it; undefined where the way is lost: somebody has removed what it led to. */
  readonly at: string | undefined;
  /** What else the second part tells. */
  readonly behind: readonly string[];
}

/**
 * Two parts of about the same size, judged by an earlier listing, or the whole in one. New entries are in a part as
 * well: the folders on the way to the cut are listed anew.
 */
export function treeParts(descriptor: number, since: Buffer | undefined): readonly TreePart[] {
  const middle = since === undefined || since.length < splitFromBytes ? undefined : middleOf(since);
  if (middle === undefined) return wholeTree;
  let cut: Cut = { before: [], shallow: [], at: '.', behind: [] };
  for (const name of middle.split('/').slice(0, depthMax)) {
    const names = cut.at === undefined ? undefined : namesIn(descriptor, cut.at);
    if (names === undefined || cut.before.length + cut.behind.length + names.length > startsMax) break;
    cut = enter(cut, names, name);
  }
  return partsOf(cut);
}

function middleOf(listing: Buffer): string | undefined {
  const { factsEnd, pathEnd } = recordAt(listing, recordStart(listing, listing.length >> 1));
  const path = listing.subarray(factsEnd + 1 + './'.length, pathEnd);
  return isUtf8(path) ? path.toString('utf8') : undefined;
}

/** Goes into the folder where the cut is, and cuts what it holds at a name. */
function enter({ before, shallow, at = '.', behind }: Cut, names: readonly string[], name: string): Cut {
  const paths = names.map((each) => `${at}/${each}`);
  const folder = at === '.' ? [] : [at];
  const place = names.indexOf(name);
  const half = place < 0 ? paths.length >> 1 : place;
  return {
    before: [...before, ...folder, ...paths.slice(0, half)],
    shallow: [...shallow, ...folder],
    at: place < 0 ? undefined : paths[place],
    behind: [...paths.slice(place < 0 ? half : place + 1), ...behind],
  };
}

function partsOf({ before, shallow, at, behind }: Cut): readonly TreePart[] {
  const rest = at === undefined ? behind : [at, ...behind];
  if (at === '.' || before.length === 0 || rest.length === 0) return wholeTree;
  if ([...before, ...rest].reduce((sum, path) => sum + path.length, 0) > startCharactersMax) return wholeTree;
  return [
    { starts: before, shallow },
    { starts: rest, shallow: [] },
  ];
}

/**
 * In the order in which the system has them, which is that of `find`: `readdir` would sort them. Undefined where it
 * cannot be listed, or a name cannot be an argument. Follows no link.
 */
function namesIn(descriptor: number, folder: string): string[] | undefined {
  let at: number | undefined;
  try {
    at = openBelow(descriptor, folder);
    const names = readNames(at);
    return names.some((name) => name.includes('\uFFFD')) ? undefined : names;
  } catch {
    return undefined; // gone meanwhile, or no folder any more: whoever looks at the whole will tell
  } finally {
    if (at !== undefined) closeSync(at);
  }
}

/** No more than one too many. */
function readNames(folder: number): string[] {
  const names: string[] = [];
  const listing = opendirSync(`/proc/self/fd/${folder}`, { bufferSize: 1024 });
  try {
    for (let next = listing.readSync(); next !== null && names.length <= startsMax; next = listing.readSync())
      names.push(next.name);
  } finally {
    listing.closeSync();
  }
  return names;
}

function openBelow(descriptor: number, folder: string): number {
  const flags = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  let at = openSync(`/proc/self/fd/${descriptor}/.`, flags);
  for (const name of folder.split('/').slice(1)) {
    const above = at;
    try {
      at = openSync(`/proc/self/fd/${above}/${name}`, flags);
    } finally {
      closeSync(above);
    }
  }
  return at;
}
