import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isAppError } from '@switchyard/protocol';
import { Git, type GitOptions } from './git-runner.ts';
import { gitLimits } from './git-limits.ts';

/** Something that has to be in the repository, and what for. */
export interface NeededRevision {
  /** A ref or the id of a commit. */
  readonly revision: string;
  readonly what: string;
}

export interface InspectCommitsOptions {
  readonly needed?: readonly NeededRevision[];
  /** Walks all that refs rest on as well. Not for a repository that somebody writes to. */
  readonly isStill: boolean;
  readonly timeoutMs?: number;
}

/** What a look at a private repository found. */
export interface CommitsFound {
  readonly refs: number;
  /** What cannot be read, a line each. */
  readonly unreadable: readonly string[];
  /** The time was too short to look at everything. */
  readonly isCut: boolean;
}

/**
 * Looks whether what refs name can be read, each with its commit and its root tree, and what else is needed; in a still
 * repository everything below them, too. Nothing is changed. Rejects with AppError E_NO_GIT, E_IO.
 */
export async function inspectCommits(
  gitDir: string,
  { needed = [], isStill, timeoutMs = gitLimits.inspectMs }: InspectCommitsOptions,
): Promise<CommitsFound> {
  const parts = ['HEAD', 'objects', 'refs'].map((name) => join(gitDir, name));
  const gone = parts.filter((part) => !existsSync(part)).map((part) => `${part} is gone`);
  if (gone.length > 0) return { refs: 0, unreadable: gone, isCut: false };
  const look = new Look(Git.at(gitDir), timeoutMs);
  try {
    return await look.all(needed, isStill);
  } catch (error) {
    if (!isAppError(error) || (error.code !== 'E_TIMEOUT' && error.code !== 'E_TOO_LARGE')) throw error;
    return { refs: look.refs, unreadable: look.unreadable, isCut: true };
  }
}

class Look {
  refs = 0;
  readonly unreadable: string[] = [];
  private readonly git: Git;
  private readonly endsAt: number;

  constructor(git: Git, timeoutMs: number) {
    this.git = git;
    this.endsAt = performance.now() + timeoutMs;
  }

  async all(needed: readonly NeededRevision[], isStill: boolean): Promise<CommitsFound> {
    const refs = await this.namedRefs();
    this.refs = refs.length;
    await this.commits([...refs, ...needed]);
    if (isStill && this.unreadable.length === 0) await this.walk();
    return { refs: refs.length, unreadable: this.unreadable, isCut: false };
  }

  private async namedRefs(): Promise<NeededRevision[]> {
    const { stdout, stderr } = await this.run(['for-each-ref', '--format=%(objectname) %(refname)'], {
      accept: [],
    });
    for (const [, ref] of stderr.matchAll(/broken ref (\S+)/g))
      this.unreadable.push(`${ref} names no commit`);
    const lines = stdout.split('\n').filter((line) => line !== '');
    return lines.map((line) => {
      const [revision = '', what = ''] = line.split(' ');
      return { revision, what };
    });
  }

  /** Git ends at the first object that is damaged: it is asked again for those that come after. */
  private async commits(asked: readonly NeededRevision[]): Promise<void> {
    for (let rest = asked; rest.length > 0;) {
      const stdin = rest.map(({ revision }) => `${revision}^{commit}\n${revision}^{tree}\n`).join('');
      const { stdout } = await this.run(['cat-file', '--batch-check=%(objecttype)'], { stdin });
      const answers = stdout.split('\n').filter((line) => line !== '');
      const answered = Math.floor(answers.length / 2);
      for (const [index, { revision, what }] of rest.slice(0, answered + 1).entries()) {
        const [commit, tree] = answers.slice(2 * index, 2 * index + 2);
        if (commit !== 'commit') this.unreadable.push(`${what}: ${revision} cannot be read`);
        else if (tree !== 'tree')
          this.unreadable.push(`${what}: the root tree of ${revision} cannot be read`);
      }
      rest = rest.slice(answered + 1);
    }
  }

  private async walk(): Promise<void> {
    const args = ['--connectivity-only', '--no-dangling', '--no-reflogs', '--no-progress', '--name-objects'];
    const { stdout, stderr } = await this.run(['fsck', ...args]);
    const said = `${stdout}\n${stderr}`.split('\n');
    this.unreadable.push(...said.filter((line) => /^(missing|error|fatal)\b/.test(line)));
  }

  private async run(
    args: readonly string[],
    options: Pick<GitOptions, 'stdin' | 'accept'> = {},
  ): Promise<{ stdout: string; stderr: string }> {
    const timeoutMs = Math.max(1, this.endsAt - performance.now());
    const result = await this.git.run(args, { accept: endsWithFindings, ...options, timeoutMs });
    return { stdout: result.stdout.toString('utf8'), stderr: result.stderr };
  }
}

/** What git says of damage comes with these: bits of `fsck`, and 128. */
const endsWithFindings = [...Array.from({ length: 31 }, (_, bit) => bit + 1), 128];
