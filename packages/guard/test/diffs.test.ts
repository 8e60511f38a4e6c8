import { describe, expect, it } from 'vitest';
import { applySearchReplace } from '@switchyard/guard';

const block = (search: string, replace: string): string =>
  `<<<<<<< SEARCH\n${search}\n=======\n${replace}\n>>>>>>> REPLACE`;
const codeOf = (diff: string, path = 'src/f', text = 'one\ntwo\none\n'): unknown => {
  try {
    return applySearchReplace(text, diff, path);
  } catch (error) {
    return (error as { code: unknown }).code;
  }
};

describe('a diff names the file that it is for', () => {
  it('also where that was named by a whole path', () => {
    const named = (header: string, path: string): unknown => codeOf(`${header}\n${block('two', '2')}`, path);
    for (const header of ['+++ b/src/f', '--- /ws/src/f', '+++ f'])
      expect(named(header, '/ws/src/f'), header).toBe('one\n2\none\n');
    expect(named('+++ b/..f', '/ws/..f')).toBe('one\n2\none\n');
    for (const header of ['+++ b/../../src/f', '+++ ../f', '+++ rc/f', '+++ /src/f'])
      expect(named(header, '/ws/src/f'), header).toBe('E_PATH_MISMATCH');
  });

  it.each([
    '--- a/src/g',
    '+++ b/src/g\t2026-11-28',
    'diff --git a/src/g b/src/g',
    'diff --git a/src/f b/src/g',
    'rename from src/f\nrename to src/g',
    'rename to src/g',
    'copy from src/g',
    'copy to src/g',
    '--- "a/src/\\147"',
    'diff --git "a/src/f" "b/src/\\147"',
    '+++ b/../../src/f',
    '+++ /etc/passwd',
  ])('%s is another', (header) => {
    expect(codeOf(`${header}\n${block('two', '2')}`)).toBe('E_PATH_MISMATCH');
  });

  it.each([
    '--- a/src/f\n+++ b/src/f',
    '--- /dev/null\n+++ src/f',
    'diff --git a/src/f b/src/f\nindex 1..2 100644',
    '--- "a/src/\\146"',
    '+++ ./src/f',
    'new file mode 100755',
  ])('%s is the same', (header) => {
    expect(codeOf(`${header}\n${block('two', '2')}`)).toBe('one\n2\none\n');
  });

  it('by the end of an absolute path, which may not climb', () => {
    expect(codeOf(`--- a/src/f\n${block('two', '2')}`, '/ws/src/f')).toBe('one\n2\none\n');
    expect(codeOf(`--- ../f\n${block('two', '2')}`, '/ws/../f')).toBe('E_PATH_MISMATCH');
    expect(codeOf(`--- rc/f\n${block('two', '2')}`, '/ws/src/f')).toBe('E_PATH_MISMATCH');
  });
});

describe('a diff changes a text file', () => {
  it.each([
    ['a link', 'new file mode 120000', 'E_NOT_REGULAR'],
    ['a submodule', 'index 1..2 160000', 'E_NOT_REGULAR'],
    ['what was a link', 'old mode 120000', 'E_NOT_REGULAR'],
    ['a binary', 'GIT binary patch', 'E_BAD_PATTERN'],
    ['binaries that differ', 'Binary files a and b differ', 'E_BAD_PATTERN'],
  ])('not %s', (_, header, code) => {
    expect(codeOf(`${header}\n${block('two', '2')}`)).toBe(code);
  });
});

describe('a block', () => {
  it.each([
    ['without its middle', '<<<<<<< SEARCH\ntwo\n>>>>>>> REPLACE'],
    ['without its end', '<<<<<<< SEARCH\ntwo\n=======\n2'],
    ['in a block', `<<<<<<< SEARCH\ntwo\n${block('one', '1')}`],
    ['of blanks', block('  ', 'x')],
    ['of what is not there', block('three', 'x')],
    ['after one that fits', `${block('two', '2')}\n${block('three', 'x')}`],
  ])('%s is refused', (_, diff) => {
    expect(codeOf(diff)).toBe('E_NO_MATCH');
  });

  it('that nearly fits at two places needs a hint', () => {
    const text = '  a\nb\n  a\n';
    expect(codeOf(block('a  ', 'x'), 'f', text)).toBe('E_NO_MATCH');
    expect(codeOf(block(':start_line:3\n-------\na ', 'x'), 'f', text)).toBe('  a\nb\n  x\n');
    expect(codeOf(block(':start_line:2\n-------\na ', 'x'), 'f', text)).toBe('E_NO_MATCH');
  });
});
