import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applySearchReplace, checkLexical, insertLines, toolchains } from '@switchyard/guard';

const windows = (path: string): string | undefined => {
  try {
    checkLexical(path, { platform: 'win32', root: 'C:\\ws' });
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('lexical rules', () => {
  it.each([
    ['C:secret.txt', 'E_PATH_INVALID'],
    ['a.txt:evil', 'E_PATH_INVALID'],
    ['src/com1.txt', 'E_PATH_INVALID'],
    ['NUL', 'E_PATH_INVALID'],
    ['secret.txt ', 'E_PATH_INVALID'],
    ['PROGRA~1\\x', 'E_PATH_INVALID'],
    ['\\\\server\\share', 'E_OUTSIDE_WORKSPACE'],
    ['C:\\ws-evil\\x', 'E_OUTSIDE_WORKSPACE'],
    ['..\\x', 'E_OUTSIDE_WORKSPACE'],
    ['src\\a.txt', undefined],
    ['c:\\WS\\a.txt', undefined],
  ])('on Windows %s -> %s', (path, code) => {
    expect(windows(path)).toBe(code);
  });

  it('never throw anything but a GuardError, whatever the path', () => {
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom('linux' as const, 'win32' as const), (path, platform) => {
        try {
          return checkLexical(path, { platform, root: 'C:\\ws' }) === path;
        } catch (error) {
          return (error as Error).name === 'GuardError';
        }
      }),
    );
  });
});

describe('edits', () => {
  const diff = (search: string, replace: string): string =>
    `<<<<<<< SEARCH\n${search}\n=======\n${replace}\n>>>>>>> REPLACE`;

  it('replace the first match of each block, all or none', () => {
    expect(applySearchReplace('a b a', diff('a', 'c'), 'f')).toBe('c b a');
    expect(applySearchReplace('one\ntwo\n', `${diff('one', '1')}\n${diff('two', '')}`, 'f')).toBe('1\n\n');
    expect(applySearchReplace('a$', diff('a$', '$&$1'), 'f')).toBe('$&$1');
  });

  it.each([
    ['no match', diff('x', 'y'), 'E_NO_MATCH'],
    ['an empty search', diff('', 'y'), 'E_NO_MATCH'],
    ['no block', 'nothing', 'E_NO_MATCH'],
    ['another file', `--- a/../x\n+++ b/../x\n${diff('a', 'b')}`, 'E_PATH_MISMATCH'],
    ['a link', `new file mode 120000\n${diff('a', 'b')}`, 'E_NOT_REGULAR'],
    ['a binary', `GIT binary patch\n${diff('a', 'b')}`, 'E_BAD_PATTERN'],
  ])('refuse %s', (_, text, code) => {
    expect(() => applySearchReplace('a', text, 'f')).toThrow(expect.objectContaining({ code }) as Error);
  });

  it('insert before a line, and at the end', () => {
    expect(insertLines('a\nb\n', 0, 'x')).toBe('x\na\nb\n');
    expect(insertLines('a\nb\n', 1, 'x\n')).toBe('a\nx\nb\n');
    expect(insertLines('a\nb\n', 99, 'x')).toBe('a\nb\nx\n');
  });
});

describe('toolchains', () => {
  it('begin with the running node, and never are the home folder', () => {
    const [node] = toolchains();
    expect(node?.name).toBe('node');
    const atHome = toolchains({ home: '/usr', nodePath: process.execPath });
    expect(atHome[0]?.folders).not.toContain('/usr');
  });

  it('say why a folder of PATH stays invisible', () => {
    const found = toolchains({ searchPath: '/var/tmp:/usr/bin', home: '/nowhere' });
    expect(found.find(({ name }) => name === '/var/tmp')).toMatchObject({ visible: false });
  });
});
