import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gitLimits } from './git-limits.ts';
import type { Git } from './git-runner.ts';
import type { ObjectReader } from './object-reader.ts';
import type { TreeEntry } from './tree-entry.ts';

/** Merges three texts line by line; the id of the result, nothing if they conflict or are no text. */
export async function mergeText(
  { git, reader }: { readonly git: Git; readonly reader: ObjectReader },
  sides: { readonly base: TreeEntry; readonly ours: TreeEntry; readonly theirs: TreeEntry },
): Promise<string | undefined> {
  const texts = await Promise.all([sides.ours, sides.base, sides.theirs].map((entry) => reader.blob(entry)));
  if (texts.some((text) => text.length > gitLimits.mergeBytes || isBinary(text))) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-merge-'));
  try {
    const files = ['ours', 'base', 'theirs'].map((name) => join(folder, name));
    await Promise.all(files.map((file, index) => writeFile(file, texts[index] ?? '')));
    const { exitCode, stdout } = await git.run(['merge-file', '-p', '-q', ...files], {
      accept: Array.from({ length: 255 }, (_, index) => index + 1),
    });
    if (exitCode !== 0) return undefined;
    return await git.line(['hash-object', '-w', '-t', 'blob', '--no-filters', '--stdin'], { stdin: stdout });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Git's own rule: a NUL byte near the start. */
export function isBinary(content: Uint8Array): boolean {
  return content.subarray(0, 8000).includes(0);
}
