import { join } from 'node:path';
import type { CommitId } from '@switchyard/protocol';
import { makeFolder } from '@switchyard/runtime';
import { Git } from './git-runner.ts';
import { formatOf, makeGitDir } from './plain-git-dir.ts';

/**
 * The folders of one attempt's git. The attempt writes `tree`, git in the sandbox reads it and writes `index` and
 * `objects`; the configuration in `git` is written once and by nobody else, so git on the host trusts it.
 *
 *     folder/tree      the checkout, with the throwaway .git
 *     folder/git       the worker's own git directory
 *     folder/index     the index: what was checked out, with the times of the files
 *     folder/objects   what was built of the attempt's files; everything else comes from the cache
 *     folder/laid.json what was laid into the tree; there once all of it was
 */
export class AttemptPlace {
  readonly folder: string;
  readonly tree: string;
  readonly gitDir: string;
  readonly indexFolder: string;
  readonly objects: string;
  readonly cacheObjects: string;
  /** Git on the host; it never reads the attempt's files. */
  readonly git: Git;

  private readonly cacheDir: string;

  /** `aside`: another folder of the attempt, for an index and objects apart from those of its result. */
  constructor(folder: string, cacheDir: string, aside?: string) {
    const own = aside === undefined ? folder : join(folder, aside);
    this.folder = folder;
    this.cacheDir = cacheDir;
    this.tree = join(folder, 'tree');
    this.gitDir = join(folder, 'git');
    this.indexFolder = join(own, 'index');
    this.objects = join(own, 'objects');
    this.cacheObjects = join(cacheDir, 'objects');
    this.git = new Git({ gitDir: this.gitDir, env: this.environment });
  }

  /** The same files with an index and objects of their own, in a folder of this name. */
  aside(name: string): AttemptPlace {
    return new AttemptPlace(this.folder, this.cacheDir, name);
  }

  get index(): string {
    return join(this.indexFolder, 'index');
  }

  /** What leads git to the index and the objects, on the host and in the sandbox. */
  get environment(): Record<string, string> {
    return {
      GIT_INDEX_FILE: this.index,
      GIT_OBJECT_DIRECTORY: this.objects,
      // In quotes, so that a colon in it is part of the path.
      GIT_ALTERNATE_OBJECT_DIRECTORIES: JSON.stringify(this.cacheObjects),
    };
  }

  /** Git on the host with the tree as its work tree: only before the attempt has touched it. */
  get freshTree(): Git {
    return new Git({ gitDir: this.gitDir, workTree: this.tree, env: this.environment });
  }

  /** What was laid into the tree; there once all of it was. */
  get laid(): string {
    return join(this.folder, 'laid.json');
  }

  /** Makes the folders. */
  async make(base: CommitId): Promise<void> {
    await makeFolder(this.folder, 0o700);
    for (const folder of [this.tree, this.indexFolder, this.objects]) await makeFolder(folder);
    await makeGitDir(this.gitDir, { head: base, format: formatOf(base) });
  }
}
