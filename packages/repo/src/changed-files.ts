import type { ChangedFile } from '@switchyard/protocol';
import type { Git } from './git-runner.ts';
import { splitNul, type RawPath } from './raw-path.ts';

/** One path that differs between two trees, or a tree and an index. */
export interface RawChange {
  readonly path: RawPath;
  readonly change: ChangedFile['change'];
  /** Mode of the new side, six digits; `000000` when deleted. */
  readonly mode: string;
  /** Object of the new side. */
  readonly id: string;
}

/** What `to` changed since `from`, renames not followed. */
export async function treeChanges(git: Git, from: string, to: string): Promise<RawChange[]> {
  const { stdout } = await git.run([
    'diff-tree',
    '-r',
    '-z',
    '--raw',
    '--no-renames',
    '--no-abbrev',
    from,
    to,
  ]);
  return parseRawDiff(stdout);
}

/** What the checkout changed since a commit, by the index and its files; new files are not among it. */
export async function checkoutTreeChanges(git: Git, from: string): Promise<RawChange[]> {
  const { stdout } = await git.run([
    'diff-index',
    '-z',
    '--raw',
    '--no-renames',
    '--no-abbrev',
    '--ignore-submodules=all',
    from,
  ]);
  return parseRawDiff(stdout);
}

const changes = { A: 'added', M: 'modified', D: 'deleted', T: 'type-changed' } as const;

/** Reads `--raw -z` output. */
export function parseRawDiff(output: Buffer): RawChange[] {
  const fields = splitNul(output);
  const found: RawChange[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [, mode = '', , id = '', letter = 'M'] = (fields[index] ?? '').split(' ');
    const path = fields[index + 1];
    if (path === undefined) break;
    found.push({ path, change: changes[letter.charAt(0) as keyof typeof changes] ?? 'modified', mode, id });
  }
  return found;
}
