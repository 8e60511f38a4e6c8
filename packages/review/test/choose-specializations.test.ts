import type { ReviewSpec } from '@switchyard/protocol';
import { chooseSpecializations } from '@switchyard/review';
import { describe, expect, it } from 'vitest';

const spec = (more: Partial<ReviewSpec> = {}): ReviewSpec => ({
  mode: 'required',
  specializations: [],
  rounds: 3,
  timeoutMs: 60_000,
  onTimeout: 'escalate',
  ...more,
});

function choose(instructions: string, paths: readonly string[] = [], review = spec()) {
  return chooseSpecializations(
    { instructions, kind: 'implement', review },
    paths.map((path) => ({ path })),
  );
}

describe('the reviewers of a change', () => {
  it.each([
    ['Add a login form', [], ['security']],
    ['Add forms', ['src/auth/models.ts'], ['security']],
    ['Add forms', ['src/userLogin.ts'], ['security']],
    ['Add forms', ['src/Password-Reset.ts'], ['security']],
    ['Optimize the list', [], ['performance']],
    ['Add an index on users', [], ['performance']],
    ['Run one database query less', [], ['performance']],
    ['Cache the token', [], ['security', 'performance']],
    ['Name the author', ['src/authors.ts'], ['style']],
    ['Export it in src/index.ts', ['src/index.ts', 'src/index.test.tsx'], ['style']],
    ['Tokenize the text', ['src/tokenizer.ts'], ['style']],
    ['Write the readme', ['README.md'], ['style']],
  ])('%s %j: %j', (instructions, paths, expected) => {
    expect(choose(instructions, paths)).toMatchObject({ skip: false, specializations: expected });
  });

  it('are those that the plan names', () => {
    expect(choose('Add a login', [], spec({ specializations: ['testing', 'testing'] }))).toEqual({
      skip: false,
      specializations: ['testing'],
      reason: 'the plan names them',
    });
  });

  it('says why', () => {
    expect(choose('Add forms', ['src/auth/a.ts']).reason).toBe('security: "auth" in src/auth/a.ts');
  });

  it.each([
    ['A prototype of the list', []],
    ['Add it', ['experiments/list.ts', 'src/prototypes/a.ts']],
    ['Add it', ['src/generated/api.ts', 'src/schema.generated.ts', 'src/__generated__/x.ts']],
  ])('are not needed: %s %j', (instructions, paths) => {
    expect(choose(instructions, paths)).toMatchObject({ skip: true, specializations: [] });
  });

  it('are not needed where the plan says never', () => {
    expect(choose('Add a login', [], spec({ mode: 'never' })).skip).toBe(true);
  });

  it('are needed where an experiment touches what matters, or only a part is generated', () => {
    expect(choose('A prototype of the login').specializations).toEqual(['security']);
    expect(choose('Add it', ['src/generated/api.ts', 'src/a.ts']).skip).toBe(false);
    expect(choose('Add it', ['experiments/auth/a.ts']).specializations).toEqual(['security']);
  });
});
