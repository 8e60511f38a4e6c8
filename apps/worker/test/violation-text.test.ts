import { describe, expect, it } from 'vitest';
import { notItsToChange } from '../src/violation-text.ts';

describe('what a commit may not hold', () => {
  it('is told by where it lies: outside of the workspace, or in it and of no kind that a commit holds', () => {
    const { code, message, details } = notItsToChange(['docs/n\\xff', 'docsier/x', 'src/a'], {
      workspace: ['docs', 'lib/one'],
    });
    expect([code, details['paths']]).toEqual([
      'E_WORKSPACE_VIOLATION',
      ['docs/n\\xff', 'docsier/x', 'src/a'],
    ]);
    expect(message).toMatch(
      /^the attempt changed 2 paths outside its workspace \(docs, lib\/one\): docsier\/x, src\/a; it left 1 path in its workspace that no commit may hold \(a name that is no UTF-8 .*\): docs\/n\\xff$/,
    );
  });

  it('says nothing of a kind that is not there, and lists ten paths at most', () => {
    const paths = Array.from({ length: 12 }, (_, number) => `a/${number}`);
    const { message } = notItsToChange(paths, { workspace: ['.'] });
    expect(message).toMatch(/^the attempt left 12 paths in its workspace .*: a\/0, .*, a\/9 …$/);
    expect(message).not.toContain('outside');
  });
});
