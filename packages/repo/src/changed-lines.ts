import type { ChangedFile, CommitId } from '@switchyard/protocol';
import { treeChanges } from './changed-files.ts';
import { gitLimits } from './git-limits.ts';
import type { Git } from './git-runner.ts';
import { shownPath } from './raw-path.ts';

/** Which lines of a file a change wrote. */
export interface ChangedLines {
  readonly path: string;
  readonly change: ChangedFile['change'];
  /** First and last line, 1-based and inclusive, of the new file; where lines were only taken out, nothing. */
  readonly lines: [number, number][];
  readonly binary: boolean;
}

const patchOptions = [
  '-r',
  '-p',
  '--no-renames',
  '--no-color',
  '--no-ext-diff',
  '--no-textconv',
  '--full-index',
];

/** The lines that a commit wrote, file by file. */
export async function readChangedLines(git: Git, base: CommitId, commit: CommitId): Promise<ChangedLines[]> {
  const changes = await treeChanges(git, base, commit);
  const { stdout } = await git.run(['diff-tree', ...patchOptions, '-U0', base, commit], {
    outputBytesMax: gitLimits.patchBytes,
  });
  const sections = parsePatch(stdout.toString('latin1'));
  let next = 0;
  return changes.map(({ path, change }) => {
    // Git tells a change of type as a deletion and a creation.
    const taken = sections.slice(next, (next += change === 'type-changed' ? 2 : 1));
    return {
      path: shownPath(path),
      change,
      lines: taken.flatMap((section) => section.lines),
      binary: taken.some((section) => section.binary),
    };
  });
}

/** The text of a change; cut with a note where it is over the limit. */
export async function readDiff(git: Git, base: CommitId, commit: CommitId): Promise<string> {
  const { stdout } = await git.run(['diff-tree', ...patchOptions, base, commit], {
    outputBytesMax: gitLimits.patchBytes,
  });
  if (stdout.length <= gitLimits.diffBytes) return stdout.toString('utf8');
  return `${stdout.toString('utf8', 0, gitLimits.diffBytes)}\n(… cut: ${stdout.length} bytes in all)\n`;
}

interface Section {
  readonly lines: [number, number][];
  binary: boolean;
}

/** Reads a patch without context. The hunks' own counts say where each ends, whatever their lines look like. */
function parsePatch(patch: string): Section[] {
  const sections: Section[] = [];
  let at = 0;
  while (at < patch.length) {
    const end = patch.indexOf('\n', at);
    const line = patch.slice(at, end < 0 ? patch.length : end);
    at = end < 0 ? patch.length : end + 1;
    const section = sections.at(-1);
    const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (line.startsWith('diff --git ')) sections.push({ lines: [], binary: false });
    else if (section !== undefined && hunk !== null) {
      const [, gone = '1', start = '1', added = '1'] = hunk;
      if (Number(added) > 0) section.lines.push([Number(start), Number(start) + Number(added) - 1]);
      at = skipLines(patch, at, Number(gone) + Number(added));
    } else if (section !== undefined && line.startsWith('Binary files ')) section.binary = true;
  }
  return sections;
}

/** Behind so many lines of a hunk; notes about a missing newline at the end are no lines of it. */
function skipLines(patch: string, from: number, count: number): number {
  let at = from;
  for (let left = count; left > 0 && at < patch.length;) {
    if (patch[at] !== '\\') left -= 1;
    const end = patch.indexOf('\n', at);
    at = end < 0 ? patch.length : end + 1;
  }
  return at;
}
