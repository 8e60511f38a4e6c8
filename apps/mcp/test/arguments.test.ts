import { describe, expect, it } from 'vitest';
import { mcpServersOf } from '../src/mcp-servers.ts';
import { taskOfWorkerId, workerIdOf } from '@switchyard/protocol';
import { tools } from '../src/tool-table.ts';
import { workspacePathOf } from '../src/workspace-path.ts';

describe('the MCP servers of a spawned worker', () => {
  it.each<[string, string | string[] | undefined, string[]]>([
    ['nothing', undefined, []],
    ['an empty text', '', []],
    ['JSON of a list', '["playwright", "github"]', ['playwright', 'github']],
    ['JSON of an empty list', '[]', []],
    ['names between commas', 'github, brave-search, supabase', ['github', 'brave-search', 'supabase']],
    ['one name', 'github', ['github']],
    ['a list', ['playwright', ' github '], ['playwright', 'github']],
    ['JSON that is no list', '{"invalid": "json"}', ['{"invalid": "json"}']],
    ['JSON of a text', '"github"', ['"github"']],
    ['JSON that is cut off', '["github", ', ['["github"']],
    ['empty names', ' ,github,, ', ['github']],
    ['empty names in a list', ['', 'github', '  '], ['github']],
    ['a name twice', 'github,github', ['github']],
  ])('may be given as %s', (_name, given, expected) => {
    expect(mcpServersOf(given)).toEqual(expected);
  });
});

describe('a workspace', () => {
  const root = '/home/user/project';

  it.each<[string, string, string]>([
    ['./src/auth/login', 'src/auth/login', `${root}/src/auth/login`],
    ['src/auth/', 'src/auth', `${root}/src/auth`],
    ['src/./a/../b', 'src/b', `${root}/src/b`],
    [`${root}/src/api`, 'src/api', `${root}/src/api`],
    ['.', '.', root],
    [root, '.', root],
  ])('%s is normalized', (given, relative, absolute) => {
    expect(workspacePathOf(given, root)).toEqual({ relative, absolute });
  });

  it.each(['../elsewhere', '/etc', '/home/user/project-2/src', 'src/../../x'])(
    '%s keeps its way out, so that the plan refuses it',
    (given) => {
      expect(workspacePathOf(given, root).relative).toMatch(/^\.\.\//);
    },
  );

  it('is relative only where the repository is elsewhere', () => {
    expect(workspacePathOf('./src/a/', undefined)).toEqual({ relative: 'src/a' });
  });
});

describe('a worker id', () => {
  it.each(['auth-login', 'a task: with colons', 'line\nbreak'])(
    'stands for the run and the task %j',
    (task) => {
      expect(taskOfWorkerId(workerIdOf('auth-abc', task))).toEqual({ run: 'auth-abc', taskId: task });
    },
  );

  it.each(['', 'worker', 'worker:', 'worker::x', 'worker:run:', 'auth-login'])('%j is none', (text) => {
    expect(taskOfWorkerId(text)).toBeUndefined();
  });
});

describe('what is misspelt', () => {
  const changing = tools.filter(({ changes }) => changes).map((tool) => [tool.name, tool.input] as const);

  it.each(changing)('is refused by %s, which would do more, or other, than was meant', (_name, input) => {
    const issues = input.safeParse({ task: 'a' }).error?.issues ?? [];
    expect(issues).toContainEqual(expect.objectContaining({ code: 'unrecognized_keys', keys: ['task'] }));
  });

  const naming = tools
    .filter(({ input }) => 'workerId' in input.shape)
    .map((tool) => [tool.name, tool] as const);

  it.each(naming)('is no worker id for %s', (_name, { input }) => {
    const issues = input.safeParse({ workerId: 'auth-login' }).error?.issues ?? [];
    expect(issues.map(({ path }) => path[0])).toContain('workerId');
    const good = input.safeParse({ workerId: 'worker:auth-abc:login' }).error?.issues ?? [];
    expect(good.map(({ path }) => path[0])).not.toContain('workerId');
  });
});
