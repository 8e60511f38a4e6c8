import type { Case, Corpus } from './case.ts';

const block = (search: string, replace: string): string =>
  `<<<<<<< SEARCH\n${search}\n=======\n${replace}\n>>>>>>> REPLACE`;

const diffRefused = (title: string, diff: unknown, refused: Case['end']['refused']): Case => ({
  title,
  before: 'echo old > ws/a.txt',
  steps: [['diff', 'a.txt', diff]],
  end: { refused: refused ?? 'E_NO_MATCH', holds: 'a.txt=old\n' },
});

export const diffCases: Corpus = {
  'diffs and patterns': [
    diffRefused('no block', 'PWNED', 'E_NO_MATCH'),
    diffRefused('a text that is not there', block('other', 'PWNED'), 'E_NO_MATCH'),
    diffRefused('an empty search', block('', 'PWNED'), 'E_NO_MATCH'),
    diffRefused(
      'the second block does not match',
      `${block('old', 'new')}\n${block('other', 'PWNED')}`,
      'E_NO_MATCH',
    ),
    diffRefused(
      'the second block is not finished',
      `${block('old', 'new')}\n<<<<<<< SEARCH\nnew\n=======\nPWNED`,
      'E_NO_MATCH',
    ),
    diffRefused('a block without its middle', '<<<<<<< SEARCH\nold\n>>>>>>> REPLACE', 'E_NO_MATCH'),
    diffRefused('another file', `--- a/b.txt\n+++ b/b.txt\n${block('old', 'PWNED')}`, 'E_PATH_MISMATCH'),
    diffRefused(
      'another file in the second half',
      `${block('old', 'new')}\n+++ b/../../outside/x\n${block('new', 'PWNED')}`,
      'E_PATH_MISMATCH',
    ),
    diffRefused(
      'a rename',
      `diff --git a/a.txt b/../outside/x\nrename from a.txt\nrename to ../outside/x\n${block('old', 'PWNED')}`,
      'E_PATH_MISMATCH',
    ),
    diffRefused(
      'a copy',
      `copy from a.txt\ncopy to .git/hooks/x\n${block('old', 'PWNED')}`,
      'E_PATH_MISMATCH',
    ),
    diffRefused(
      'an absolute name',
      `--- /etc/passwd\n+++ /etc/passwd\n${block('old', 'PWNED')}`,
      'E_PATH_MISMATCH',
    ),
    diffRefused('a name in quotes', `+++ "b/../\\157utside/x"\n${block('old', 'PWNED')}`, 'E_PATH_MISMATCH'),
    diffRefused('a link', `new file mode 120000\n${block('old', '/etc/passwd')}`, 'E_NOT_REGULAR'),
    diffRefused('a module', `old mode 100644\nnew mode 160000\n${block('old', 'x')}`, 'E_NOT_REGULAR'),
    diffRefused('set-id bits', `new mode 104755\n${block('old', 'x')}`, 'E_NOT_REGULAR'),
    diffRefused('a binary', `GIT binary patch\nliteral 3\n${block('old', 'x')}`, 'E_BAD_PATTERN'),
    diffRefused('no text', 7, ['E_NO_MATCH', 'E_BAD_PATTERN']),
    diffRefused('a new file', `--- /dev/null\n+++ b/new.txt\n${block('old', 'PWNED')}`, 'E_PATH_MISMATCH'),
    {
      title: 'what a diff puts in is text, whatever signs it has',
      before: 'printf "one\\r\\ntwo\\r\\nthree" > ws/f',
      steps: [
        ['diff', 'f', block('two', '$& $1 $` === x ===')],
        ['read', 'f'],
      ],
      end: { shows: 'one\r\n$& $1 $` === x ===\r\nthree' },
    },
    {
      title: 'a diff of what is denied',
      before: 'echo $SECRET > ws/.env',
      steps: [['diff', '.env', block('SECRET', 'x')]],
      end: { refused: 'E_DENIED' },
    },
    {
      title: 'a diff through a link out',
      before: 'ln -s $OUT/secret.txt ws/l',
      steps: [['diff', 'l', block('SECRET', 'x')]],
      end: { refused: 'E_OUTSIDE_WORKSPACE' },
    },
    {
      title: 'a diff of a binary file changes nothing',
      before: 'printf "old\\377\\376" > ws/f',
      steps: [['diff', 'f', block('old', 'new')]],
      end: { refused: ['E_NOT_REGULAR', 'E_NO_MATCH', 'E_BAD_PATTERN'] },
    },
    ...['(', '[', 'a{2,1}', '*', '(?<n', '\\'].map((pattern): Case => ({
      title: `the pattern ${pattern}`,
      before: 'echo x > ws/f',
      steps: [['search', '.', pattern]],
      end: { refused: 'E_BAD_PATTERN' },
    })),
    {
      title: 'a pattern that takes for ever',
      before: 'printf "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\\n" > ws/f',
      steps: [['search', '.', '(x+x+)+y']],
      end: { refused: 'E_BAD_PATTERN' },
    },
    { title: 'a pattern that is no text', steps: [['search', '.', 7]], end: { refused: 'E_BAD_PATTERN' } },
    { title: 'no pattern', steps: [['search', '.', undefined]], end: { refused: 'E_BAD_PATTERN' } },
    {
      title: 'a pattern that calls',
      before: 'echo x > ws/f',
      steps: [['search', '.', '${process.exit()}']],
      end: { either: true },
    },
  ],
};
