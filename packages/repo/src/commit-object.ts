import { commitId, type CommitId } from '@switchyard/protocol';
import type { Git } from './git-runner.ts';

/** Everything a commit is made of; the same facts give the same commit wherever it is made. */
export interface CommitFacts {
  readonly tree: string;
  readonly parents: readonly CommitId[];
  /** Milliseconds since the epoch; git keeps whole seconds. */
  readonly at: number;
  readonly message: string;
  /** Author and committer, `Name <address>`. */
  readonly person?: string;
}

const switchyard = 'Switchyard <switchyard@localhost>';

/** Writes a commit. */
export async function writeCommit(git: Git, facts: CommitFacts): Promise<CommitId> {
  const who = `${facts.person ?? switchyard} ${Math.floor(facts.at / 1000)} +0000`;
  const lines = [
    `tree ${facts.tree}`,
    ...facts.parents.map((parent) => `parent ${parent}`),
    `author ${who}`,
    `committer ${who}`,
    '',
    `${facts.message.replaceAll('\0', '').trimEnd()}\n`,
  ];
  return commitId.parse(
    await git.line(['hash-object', '-w', '-t', 'commit', '--stdin'], { stdin: lines.join('\n') }),
  );
}

/** One line of text, for subjects and trailers. */
export function oneLine(text: string, charactersMax: number): string {
  const folded = text.replace(/\s+|\p{Cc}+/gu, ' ').trim();
  return folded.length <= charactersMax ? folded : `${folded.slice(0, charactersMax - 1)}…`;
}
