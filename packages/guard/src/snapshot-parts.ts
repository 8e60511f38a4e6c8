/** How a large tree is shared out to two `find`s, which take two thirds of the time of one. */
import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { O_PATH } from './descriptor.ts';

/** What one `find` looks at; paths are relative to the tree and begin with `./`, all but `.` itself. */
export interface TreePart {
  readonly starts: readonly string[];
  /** Folders among the starts that it does not go into: what they hold are starts, too. */
  readonly shallow: readonly string[];
}

export const wholeTree: readonly TreePart[] = [{ starts: ['.'], shallow: [] }];

/** Below this, a second process costs more than it saves. */
const splitFrom = 4_000;
/** A few hundred kilobytes of arguments at most. */
const startsMax = 2_000;
const samples = 1_000;
const depthMax = 8;

/**
 * Two parts of about the same size, judged by the paths that an earlier look has found, or the whole in one. New
 * entries are in a part as well: the folders that are taken apart are listed anew.
 */
export function treeParts(descriptor: number, known: ReadonlyMap<string, unknown>): readonly TreePart[] {
  if (known.size < splitFrom) return wholeTree;
  const sample = sampleOf(known);
  const weights = new Map<string, number>();
  const shallow: string[] = [];
  for (let folder = '.'; shallow.length <= depthMax;) {
    const names = namesIn(descriptor, folder);
    if (names === undefined || weights.size + names.length > startsMax) return wholeTree;
    for (const [path, weight] of weigh(folder, names, sample)) weights.set(path, weight);
    const [heaviest = '', weight = 0] = [...weights].toSorted((a, b) => b[1] - a[1])[0] ?? [];
    if (weight * 2 < sample.length) break;
    shallow.push(heaviest);
    weights.delete(heaviest);
    folder = heaviest;
  }
  const [a, b] = halves(weights);
  return [{ starts: [...shallow, ...a], shallow }, ...(b.length === 0 ? [] : [{ starts: b, shallow: [] }])];
}

function sampleOf(known: ReadonlyMap<string, unknown>): string[] {
  const step = Math.ceil(known.size / samples);
  let at = 0;
  const sample: string[] = [];
  for (const path of known.keys()) {
    if (at % step === 0) sample.push(`./${path}`);
    at += 1;
  }
  return sample;
}

/** Undefined where it cannot be listed, or a name cannot be an argument. Follows no link. */
function namesIn(descriptor: number, folder: string): string[] | undefined {
  let at: number | undefined;
  try {
    at = openBelow(descriptor, folder);
    const names = readdirSync(`/proc/self/fd/${at}`);
    return names.some((name) => name.includes('\uFFFD')) ? undefined : names;
  } catch {
    return undefined; // gone meanwhile, or no folder any more: whoever looks at the whole will tell
  } finally {
    if (at !== undefined) closeSync(at);
  }
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

/** How much of the sample lies at or below each name. */
function weigh(folder: string, names: readonly string[], sample: readonly string[]): Map<string, number> {
  const weights = new Map(names.map((name) => [`${folder}/${name}`, 0]));
  for (const path of sample) {
    if (!path.startsWith(`${folder}/`)) continue;
    const end = path.indexOf('/', folder.length + 1);
    const start = end < 0 ? path : path.slice(0, end);
    const weight = weights.get(start);
    if (weight !== undefined) weights.set(start, weight + 1);
  }
  return weights;
}

/** The heaviest first, each to the side that is lighter. */
function halves(weights: ReadonlyMap<string, number>): [string[], string[]] {
  const sides: [string[], string[]] = [[], []];
  let lead = 0;
  for (const [path, weight] of [...weights].toSorted((a, b) => b[1] - a[1])) {
    const isFirst = lead <= 0;
    sides[isFirst ? 0 : 1].push(path);
    // A file counts as well, though the sample may have missed it.
    lead += (isFirst ? 1 : -1) * (weight + 0.01);
  }
  return sides;
}
