import { AppError, commitId, type ChangedFile, type CommitId } from '@switchyard/protocol';
import { findChanges, type Changes } from './attempt-changes.ts';
import type { AttemptContext, BuiltCommit, CommitRequest } from './attempt-clone.ts';
import type { Included } from './attempt-include.ts';
import type { AttemptPlace } from './attempt-place.ts';
import { bytesOf, shownPath, splitNul, type RawPath } from './raw-path.ts';
import { sandboxedGit } from './sandboxed-git.ts';

/** One attempt's files and what belongs to them. */
export interface AttemptParts {
  readonly place: AttemptPlace;
  readonly included: Included;
  readonly context: AttemptContext;
}

const identity = 'Switchyard';
const address = 'switchyard@localhost';

/**
 * Builds the commit of an attempt's files. Git that reads the attempt's files runs in the sandbox; what it wrote, an
 * index and objects, git on the host reads as data, and the cache takes the commit only after git has checked it.
 */
export async function buildCommit(request: CommitRequest, parts: AttemptParts): Promise<BuiltCommit> {
  const { place } = parts;
  // Keeps the times of files that are as in the base, so that only the others are read.
  await place.git(['read-tree', '-m', `${request.base}^{tree}`]);
  const changes = await findChanges(request, parts);
  const refused = await stage(changes, parts);
  const tree = (await sandboxedGit(['write-tree'], parts)).toString().trim();
  const files = changedFiles(
    await place.git(['diff-tree', '-r', '-z', '--raw', '--no-renames', `${request.base}^{tree}`, tree]),
  );
  const outside = [...new Set([...changes.outside, ...refused])].map(shownPath).sort();
  if (files.length === 0) return { files, outside };
  const commit = await commitTree(place, tree, request);
  await parts.context.take(commit, await packOf(place, commit, request.base));
  return { commit, files, outside };
}

/** Puts the changes into the index; the paths that git refuses to hold. */
async function stage({ deleted, written }: Changes, parts: AttemptParts): Promise<RawPath[]> {
  if (deleted.length > 0) {
    const lines = deleted.map((path) => Buffer.concat([Buffer.from(`0 ${'0'.repeat(40)}\t`), ended(path)]));
    await parts.place.git(['update-index', '-z', '--index-info'], { stdin: Buffer.concat(lines) });
  }
  if (written.length === 0) return [];
  const said: string[] = [];
  await sandboxedGit(['update-index', '--add', '--replace', '-z', '--stdin'], parts, {
    stdin: Buffer.concat(written.map(ended)),
    stderr: (text) => said.push(text),
  });
  return [...said.join('').matchAll(/^Ignoring path (.*)$/gm)].map(([, path]) => path as RawPath);
}

function ended(path: RawPath): Buffer {
  return Buffer.concat([bytesOf(path), Buffer.from([0])]);
}

async function commitTree(place: AttemptPlace, tree: string, request: CommitRequest): Promise<CommitId> {
  const date = `${Math.floor(request.at / 1000)} +0000`;
  const made = await place.git(['commit-tree', tree, '-p', request.base], {
    stdin: request.message.replaceAll('\0', ''),
    env: {
      GIT_AUTHOR_NAME: identity,
      GIT_AUTHOR_EMAIL: address,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: identity,
      GIT_COMMITTER_EMAIL: address,
      GIT_COMMITTER_DATE: date,
    },
  });
  return commitId.parse(made.toString().trim());
}

function packOf(place: AttemptPlace, commit: CommitId, base: CommitId): Promise<Buffer> {
  return place.git(['pack-objects', '-q', '--revs', '--stdout', '--thin', '--delta-base-offset'], {
    stdin: `${commit}\n^${base}\n`,
  });
}

const changeOf: Readonly<Record<string, ChangedFile['change']>> = {
  A: 'added',
  M: 'modified',
  D: 'deleted',
  T: 'type-changed',
};

function changedFiles(raw: Buffer): ChangedFile[] {
  const fields = splitNul(raw);
  return fields.flatMap((path, index) => {
    if (index % 2 === 0) return [];
    const letter = fields[index - 1]?.split(' ')[4] ?? '';
    const change = changeOf[letter];
    if (change === undefined) throw new AppError('E_INTERNAL', `git tells a change ${letter}`);
    return [{ path: shownPath(path), change }];
  });
}
