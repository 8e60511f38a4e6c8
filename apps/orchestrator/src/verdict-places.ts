import type { Finding, Verdict } from '@switchyard/protocol';
import type { RunRepository } from '@switchyard/repo';
import type { ReviewRequest } from '@switchyard/review';

type Lengths = ReadonlyMap<string, number>;

/** Whether git has to be asked about a verdict. */
export function speaksOfFiles({ issues }: Verdict): boolean {
  return issues.some(({ file }) => file !== undefined);
}

/**
 * Which finding of a verdict speaks of a place that is not there, as "it …"; undefined: none does. A finding may speak
 * of any file of the commit, since a change may break what it leaves alone, and of what the change took away; its line
 * is one of that file. Throws AppError where the repository is in trouble.
 */
export async function placeNowhere(
  repository: Pick<RunRepository, 'fileLengths'>,
  { commit, base, files }: ReviewRequest,
  verdict: Verdict,
): Promise<string | undefined> {
  const named = verdict.issues.flatMap(({ file }) => file ?? []);
  const present = await repository.fileLengths(commit, named);
  const gone = files.filter(({ path, change }) => change === 'deleted' && named.includes(path));
  const before: Lengths =
    gone.length === 0
      ? new Map()
      : await repository.fileLengths(
          base,
          gone.map(({ path }) => path),
        );
  // Git may know a path of the change that it cannot be asked about by its text: nothing is said of its lines.
  const changed: Lengths = new Map(files.map(({ path }) => [path, Infinity]));
  for (const one of verdict.issues) {
    const wrong = wrongWith(one, [present, before, changed]);
    if (wrong !== undefined) return wrong.slice(0, 2000);
  }
  return undefined;
}

function wrongWith({ file, line }: Finding, known: readonly Lengths[]): string | undefined {
  if (file === undefined) return undefined;
  const lines = known.find((lengths) => lengths.has(file))?.get(file);
  if (lines === undefined) return `speaks of ${file}, which is not in the commit`;
  if (line === undefined || line <= lines) return undefined;
  return `speaks of line ${line} of ${file}, which has ${lines === 1 ? '1 line' : `${lines} lines`}`;
}
