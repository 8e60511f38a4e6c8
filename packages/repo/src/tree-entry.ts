import type { Git } from './git-runner.ts';
import { bytesOf, rawOfBytes, type RawPath } from './raw-path.ts';

/** What a name in a tree stands for: mode as git writes it in listings (six digits), and an object. */
export interface TreeEntry {
  readonly mode: string;
  readonly id: string;
}

export const folderMode = '040000';
export const linkMode = '120000';
export const submoduleMode = '160000';

/** Whether two places of trees hold the same. */
export function isSame(a: TreeEntry | undefined, b: TreeEntry | undefined): boolean {
  return a?.id === b?.id && a?.mode === b?.mode;
}

export function isFolder(entry: TreeEntry | undefined): boolean {
  return entry?.mode === folderMode;
}

export function isPlainFile(
  entry: TreeEntry | undefined,
): entry is TreeEntry & { mode: '100644' | '100755' } {
  return entry?.mode === '100644' || entry?.mode === '100755';
}

/** Reads a raw tree object. */
export function parseTree(content: Buffer, idBytes: number): Map<RawPath, TreeEntry> {
  const entries = new Map<RawPath, TreeEntry>();
  let at = 0;
  while (at < content.length) {
    const space = content.indexOf(0x20, at);
    const end = content.indexOf(0, space);
    const mode = content.toString('latin1', at, space).padStart(6, '0');
    const name = rawOfBytes(content.subarray(space + 1, end));
    at = end + 1 + idBytes;
    // Old tools wrote 100664; git itself treats it as 100644.
    entries.set(name, {
      mode: mode === '100664' ? '100644' : mode,
      id: content.toString('hex', end + 1, at),
    });
  }
  return entries;
}

/** Writes a tree; git checks that everything it names is there. Nothing for a tree of no entries. */
export async function writeTree(
  git: Git,
  entries: ReadonlyMap<RawPath, TreeEntry>,
): Promise<TreeEntry | undefined> {
  if (entries.size === 0) return undefined;
  const lines = [...entries].map(([name, { mode, id }]) =>
    Buffer.concat([Buffer.from(`${mode} ${typeOf(mode)} ${id}\t`), bytesOf(name), Buffer.from([0])]),
  );
  return { mode: folderMode, id: await git.line(['mktree', '-z'], { stdin: Buffer.concat(lines) }) };
}

function typeOf(mode: string): string {
  if (mode === folderMode) return 'tree';
  return mode === submoduleMode ? 'commit' : 'blob';
}
