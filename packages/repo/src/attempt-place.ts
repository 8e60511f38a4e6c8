import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommitId } from '@switchyard/protocol';
import { gitEnvironment, mustGit, type HostGitOptions } from './host-git.ts';
import { makeGitDir } from './plain-git-dir.ts';

/**
 * The folders of one attempt's git. The attempt writes `tree`, git in the sandbox reads it and writes `index` and
 * `objects`; the configuration in `git` is written once and by nobody else, so git on the host trusts it.
 *
 *     folder/tree      the checkout, with the throwaway .git
 *     folder/git       the worker's own git directory
 *     folder/index     the index: what was checked out, with the times of the files
 *     folder/objects   what was built of the attempt's files; everything else comes from the cache
 */
export class AttemptPlace {
  readonly folder: string;
  readonly tree: string;
  readonly gitDir: string;
  readonly indexFolder: string;
  readonly objects: string;
  readonly cacheObjects: string;

  constructor(folder: string, cacheDir: string) {
    this.folder = folder;
    this.tree = join(folder, 'tree');
    this.gitDir = join(folder, 'git');
    this.indexFolder = join(folder, 'index');
    this.objects = join(folder, 'objects');
    this.cacheObjects = join(cacheDir, 'objects');
  }

  get index(): string {
    return join(this.indexFolder, 'index');
  }

  /** Makes the folders. */
  async make(base: CommitId): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    for (const folder of [this.tree, this.indexFolder, this.objects])
      await mkdir(folder, { recursive: true });
    makeGitDir(this.gitDir, {
      head: base,
      bare: false,
      objectFormat: base.length === 64 ? 'sha256' : 'sha1',
    });
  }

  /** The environment that leads git here, on the host and in the sandbox. */
  environment(): Record<string, string> {
    return {
      ...gitEnvironment,
      GIT_DIR: this.gitDir,
      GIT_INDEX_FILE: this.index,
      GIT_OBJECT_DIRECTORY: this.objects,
      // In quotes, so that a colon in it is part of the path.
      GIT_ALTERNATE_OBJECT_DIRECTORIES: JSON.stringify(this.cacheObjects),
    };
  }

  /** Options of git on the host; it never reads the attempt's files. */
  options(more: Partial<HostGitOptions>): HostGitOptions {
    return { ...more, gitDir: this.gitDir, env: { ...this.environment(), ...more.env } };
  }

  /** Git on the host that must end well. */
  async git(args: readonly string[], more: Partial<HostGitOptions> = {}): Promise<Buffer> {
    return mustGit(args, this.options(more));
  }

  /** Writes small files into a folder. */
  async writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  }
}
