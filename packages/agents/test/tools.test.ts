import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openToolbox, toolGroups, toolSet, type McpCaller } from '../src/index.ts';
import { orchestrator, ToolDesk, worker } from './tool-desk.ts';

let desk: ToolDesk;
beforeEach(() => {
  desk = new ToolDesk({
    'README.md': '# Demo\n',
    'src/a.ts': 'export const a = 1;\nexport const b = 2;\n',
    'src/deep/c.ts': 'c\n',
    'lib/kept.ts': 'kept\n',
  });
});
afterEach(() => desk.close());

describe('the tool set', () => {
  it('has these tools, each with words for the model and a schema of its arguments', () => {
    expect(toolSet.map(({ name }) => name)).toEqual([
      'read_file',
      'list_files',
      'search_files',
      'codebase_search',
      'write_to_file',
      'apply_diff',
      'insert_content',
      'move_file',
      'remove_file',
      'execute_command',
      'use_mcp_tool',
      'spawn_parallel_instance',
      'hand_in_plan',
      'attempt_completion',
      'ask_orchestrator',
    ]);
    for (const { description, parameters } of toolSet) {
      expect(description.length).toBeGreaterThan(20);
      expect(parameters).toMatchObject({ type: 'object', properties: expect.anything() });
    }
  });
});

it('the README names every tool of every group', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\| (read|edit|command|mcp|spawn|always) +\|(.*)\|$/gm)];
  const documented = rows.map(([, group, names = '']) => [group, names.match(/\w+/g)]);
  const groups = [...toolGroups, 'always'];
  expect(documented).toEqual(
    groups.map((group) => [group, toolSet.filter((tool) => tool.group === group).map(({ name }) => name)]),
  );
});

describe('reading tools', () => {
  it('give lines behind their numbers, and parts of a file', async () => {
    expect(await desk.text('read_file', { path: 'src/a.ts' })).toBe(
      '1 | export const a = 1;\n2 | export const b = 2;',
    );
    expect(await desk.text('read_file', { path: './src/a.ts', start_line: 2 })).toBe(
      '2 | export const b = 2;',
    );
    expect(await desk.text('read_file', { path: 'src/a.ts', start_line: 9 })).toBe('(the file has 2 lines)');
  });

  it('give a long file in parts that lead on', async () => {
    writeFileSync(join(desk.tree, 'src/long'), 'x\n'.repeat(5_000));
    const text = await desk.text('read_file', { path: 'src/long' });
    expect(text).toMatch(/2000 \| x\n\[lines 2001 to 5000 are not shown: call again with start_line 2001\]$/);
    expect(await desk.text('read_file', { path: 'src/long', start_line: 4_999 })).toBe('4999 | x\n5000 | x');
  });

  it('say that a file is no text', async () => {
    writeFileSync(join(desk.tree, 'src/bin'), Buffer.from([1, 0, 2]));
    expect(await desk.call('read_file', { path: 'src/bin' })).toMatchObject({
      kind: 'error',
      code: 'E_NOT_REGULAR',
    });
  });

  it('list folders, and all below them', async () => {
    expect(await desk.text('list_files', {})).toBe('README.md\nlib/\nsrc/');
    expect((await desk.text('list_files', { path: 'src', recursive: true })).split('\n').sort()).toEqual([
      'a.ts',
      'deep/',
      'deep/c.ts',
    ]);
  });

  it('search by pattern, in files of a kind', async () => {
    writeFileSync(join(desk.tree, 'src/a.md'), 'export const a\n');
    const input = { path: 'src', regex: 'const [ab]' };
    expect((await desk.text('search_files', input)).split('\n')).toHaveLength(3);
    expect(await desk.text('search_files', { ...input, file_pattern: '*.{md,txt}' })).toBe(
      'a.md:1:export const a',
    );
    expect(await desk.text('search_files', { regex: 'nothing like it' })).toBe('(no line matches)');
  });
});

describe('editing tools', () => {
  it('write, change, insert, move and remove in the workspace', async () => {
    await desk.text('write_to_file', { path: 'src/new/n.ts', content: 'one\nthree\n' });
    await desk.text('insert_content', { path: 'src/new/n.ts', line: 2, content: 'two' });
    await desk.text('insert_content', { path: 'src/new/n.ts', line: 0, content: 'four' });
    expect(desk.file('src/new/n.ts')).toBe('one\ntwo\nthree\nfour\n');
    await desk.text('apply_diff', {
      path: 'src/a.ts',
      diff: '<<<<<<< SEARCH\nexport const b = 2;\n=======\nexport const b = 3;\n>>>>>>> REPLACE',
    });
    expect(desk.file('src/a.ts')).toBe('export const a = 1;\nexport const b = 3;\n');
    await desk.text('move_file', { from: 'src/new/n.ts', to: 'src/m.ts' });
    expect(desk.file('src/m.ts')).toMatch(/^one/);
    await desk.text('remove_file', { path: 'src/deep' });
    expect(existsSync(join(desk.tree, 'src/deep'))).toBe(false);
  });

  it.each([
    ['read_file', { path: '../../etc/passwd' }, 'E_OUTSIDE_WORKSPACE'],
    ['write_to_file', { path: '../out', content: 'x' }, 'E_OUTSIDE_WORKSPACE'],
    ['write_to_file', { path: '/tmp/out', content: 'x' }, 'E_OUTSIDE_WORKSPACE'],
    ['write_to_file', { path: 'lib/kept.ts', content: 'x' }, 'E_READ_ONLY'],
    ['move_file', { from: 'src/a.ts', to: 'lib/a.ts' }, 'E_READ_ONLY'],
    ['remove_file', { path: 'README.md' }, 'E_READ_ONLY'],
    ['write_to_file', { path: 'src/.git/hooks/post-commit', content: 'x' }, 'E_PROTECTED'],
    ['read_file', { path: 'src/none' }, 'E_NOT_FOUND'],
    [
      'apply_diff',
      { path: 'src/a.ts', diff: '<<<<<<< SEARCH\nno\n=======\nx\n>>>>>>> REPLACE' },
      'E_NO_MATCH',
    ],
  ] as const)('%s %j is refused with %s, and nothing changes', async (name, input, code) => {
    const outcome = await desk.call(name, input);
    expect(outcome).toMatchObject({ kind: 'error', code, text: expect.stringContaining(code) });
    expect(desk.file('lib/kept.ts')).toBe('kept\n');
    expect(desk.file('README.md')).toBe('# Demo\n');
    expect(desk.file('src/a.ts')).toMatch(/^export const a = 1/);
  });

  it('say what is allowed when a path leads out', async () => {
    expect(await desk.call('write_to_file', { path: '../out', content: 'x' })).toMatchObject({
      text: expect.stringMatching(
        /^E_OUTSIDE_WORKSPACE: File access denied: outside workspace: "\.\.\/out" \(allowed: .*tree\) Use only paths/,
      ),
    });
  });

  it('hold a task that reads its workspace alone', async () => {
    const narrow = new ToolDesk({ 'src/a.ts': 'a\n', 'lib/b.ts': 'b\n' }, { reads: 'workspace' });
    try {
      expect(await narrow.text('read_file', { path: 'src/a.ts' })).toBe('1 | a');
      expect(await narrow.call('read_file', { path: 'lib/b.ts' })).toMatchObject({
        code: 'E_OUTSIDE_WORKSPACE',
      });
      expect(await narrow.text('codebase_search', { query: 'b', path: 'src' })).toMatch(/nothing has to do/);
    } finally {
      narrow.close();
    }
  });
});

describe('commands', () => {
  it('run by sh, in a folder that is asked for, and tell how they ended', async () => {
    expect(await desk.text('execute_command', { command: 'npm test' })).toBe('exit code 0\nfine');
    desk.result = { ...desk.result, ended: 'timed-out', output: '' };
    expect(await desk.text('execute_command', { command: 'x', cwd: "it's", timeout_seconds: 3 })).toMatch(
      /^killed after 3 s.*\n\(no output\)$/,
    );
    expect(desk.commands).toEqual([
      { argv: ['sh', '-c', 'npm test'], timeoutMs: 120_000, writes: 'workspace' },
      {
        argv: ['sh', '-c', 'cd -- "$1" && exec sh -c "$2"', 'sh', "it's", 'x'],
        timeoutMs: 3_000,
        writes: 'workspace',
      },
    ]);
  });

  it('give the head and the tail of a flood', async () => {
    desk.result = { ...desk.result, output: `begin${'x'.repeat(1_000_000)}end`, truncated: true };
    const text = await desk.text('execute_command', { command: 'yes' });
    expect(text.length).toBeLessThan(17_000);
    expect(text).toMatch(/^exit code 0 \(the output was too long.*\nbeginx[^]*characters left out[^]*xend$/);
  });
});

describe('what a call does wrong', () => {
  it.each([
    ['a tool that does not exist', 'write_everything', {}, /no tool "write_everything". It has: read_file, /],
    [
      'arguments that are missing',
      'write_to_file',
      { path: 'src/x' },
      /content: .*It takes: path, content\./,
    ],
    ['arguments of another kind', 'read_file', { path: 7 }, /path: /],
    ['no object at all', 'read_file', 'src/a.ts', /read_file cannot be called like this/],
    ['nothing', 'list_files', null, /list_files cannot be called like this/],
  ])('comes back as words: %s', async (_what, name, input, says) => {
    const outcome = await desk.call(name, input);
    expect(outcome).toMatchObject({ kind: 'error', code: 'E_TOOL_INPUT' });
    expect(outcome.kind === 'error' && outcome.text).toMatch(says);
  });
});

describe('tools that reach out', () => {
  const mcp: McpCaller = {
    servers: [{ name: 'files', tools: [{ name: 'echo', description: 'says it again' }] }],
    callTool: async (server, tool, input) => `${server} ${tool} ${JSON.stringify(input)}`,
  };

  it('call the MCP servers of the task and no other', async () => {
    const box = openToolbox(worker, desk.ports({ mcp }));
    const call = (input: object) => box.call('use_mcp_tool', input);
    expect(await call({ server_name: 'files', tool_name: 'echo', arguments: '{"a":1}' })).toMatchObject({
      text: 'files echo {"a":1}',
    });
    expect(await call({ server_name: 'other', tool_name: 'echo' })).toMatchObject({
      code: 'E_TOOL_INPUT',
      text: expect.stringContaining('there is: files'),
    });
    expect(await call({ server_name: 'files', tool_name: 'rm' })).toMatchObject({
      text: expect.stringContaining('there is: echo'),
    });
    expect(await call({ server_name: 'files', tool_name: 'echo', arguments: 'a=1' })).toMatchObject({
      code: 'E_TOOL_INPUT',
    });
  });

  it('are not offered where there is nobody to call', () => {
    const names = openToolbox(orchestrator, desk.ports()).tools.map(({ name }) => name);
    expect(names).not.toContain('use_mcp_tool');
    expect(names).not.toContain('spawn_parallel_instance');
  });

  it.each([
    ['a list', ['a', ' b ']],
    ['JSON', '["a", "b"]'],
    ['comma separated', 'a, b,'],
  ])('spawn with MCP servers as %s', async (_form, mcpServers) => {
    const asked: unknown[] = [];
    const ports = desk.ports({
      spawn: async (request) => {
        asked.push(request);
        return { workerId: 'worker-1', status: 'spawned', workspace: '/x' };
      },
    });
    const input = { taskId: 't', workspacePath: 'src', systemPrompt: 'do it', mcpServers };
    expect(await openToolbox(orchestrator, ports).call('spawn_parallel_instance', input)).toEqual({
      kind: 'answer',
      text: '{"workerId":"worker-1","status":"spawned","workspace":"/x"}',
    });
    expect(asked).toEqual([{ ...input, mcpServers: ['a', 'b'] }]);
  });

  it('ask and wait for the answer, or end with the question where nobody can answer', async () => {
    const input = { question: 'which?', attempted_solutions: ['looked'] };
    const ask = async (question: string) => `${question} this one`;
    expect(await openToolbox(worker, desk.ports({ ask })).call('ask_orchestrator', input)).toEqual({
      kind: 'answer',
      text: 'The answer: which? this one',
    });
    expect(await desk.call('ask_orchestrator', input)).toEqual({
      kind: 'escalated',
      reason: 'which?',
      attemptedSolutions: ['looked'],
    });
  });
});

describe('a mode is enforced where tools run', () => {
  const docs = { slug: 'docs', grants: [{ group: 'read' }, { group: 'edit', fileRegex: '\\.md$' }] } as const;
  const withCommands = { ...docs, grants: [...docs.grants, { group: 'command' }] } as const;

  it('an orchestrator edits nothing, and its commands have nothing to write', async () => {
    for (const name of ['write_to_file', 'apply_diff', 'insert_content', 'move_file', 'remove_file'])
      expect(await desk.call(name, { path: 'src/a.ts' }, orchestrator)).toMatchObject({
        kind: 'error',
        code: 'E_TOOL_DENIED',
      });
    await desk.call('execute_command', { command: 'true' }, orchestrator);
    expect(desk.commands).toMatchObject([{ writes: 'none' }]);
  });

  it('a worker spawns nothing, although somebody could', async () => {
    const ports = desk.ports({
      spawn: () => Promise.reject(new Error('a worker has spawned')),
    });
    const box = openToolbox(worker, ports);
    expect(box.tools.map(({ name }) => name)).not.toContain('spawn_parallel_instance');
    expect(
      await box.call('spawn_parallel_instance', { taskId: 't', workspacePath: 'src', systemPrompt: 'x' }),
    ).toMatchObject({
      kind: 'error',
      code: 'E_TOOL_DENIED',
      text: expect.stringContaining('does not have the tool group "spawn"'),
    });
  });

  it('a fileRegex holds every tool that edits, through links too', async () => {
    const call = (name: string, input: object) => desk.call(name, input, docs);
    writeFileSync(join(desk.tree, 'src/old.md'), 'old\n');
    symlinkSync('a.ts', join(desk.tree, 'src/link.md'));
    expect(await call('write_to_file', { path: 'src/new.md', content: 'x' })).toMatchObject({
      kind: 'answer',
    });
    expect(await call('move_file', { from: 'src/old.md', to: 'src/other.md' })).toMatchObject({
      kind: 'answer',
    });
    const denied = { kind: 'error', code: 'E_TOOL_DENIED' };
    expect(await call('write_to_file', { path: 'src/a.ts', content: 'x' })).toMatchObject(denied);
    expect(await call('write_to_file', { path: 'src/x.md/../a.ts', content: 'x' })).toMatchObject(denied);
    expect(await call('write_to_file', { path: 'src/link.md', content: 'x' })).toMatchObject(denied);
    expect(await call('move_file', { from: 'src/new.md', to: 'src/new.ts' })).toMatchObject(denied);
    expect(await call('move_file', { from: 'src/a.ts', to: 'src/a.md' })).toMatchObject(denied);
    expect(await call('remove_file', { path: 'src' })).toMatchObject(denied);
    expect(await call('insert_content', { path: 'src/a.ts', line: 1, content: 'x' })).toMatchObject(denied);
    expect(desk.file('src/a.ts')).toMatch(/^export const a = 1/);
  });

  it('a fileRegex holds folders, what is in them, and links to them', async () => {
    const denied = { kind: 'error', code: 'E_TOOL_DENIED' };
    mkdirSync(join(desk.tree, 'src/notes.md'));
    writeFileSync(join(desk.tree, 'src/notes.md/c.ts'), 'c\n');
    mkdirSync(join(desk.tree, 'src/empty'));
    symlinkSync('empty', join(desk.tree, 'src/to-empty'));
    for (const [from, to] of [
      ['src/notes.md', 'src/other.md'],
      ['src/to-empty', 'src/x.md'],
    ])
      expect(await desk.call('move_file', { from, to }, docs), from).toMatchObject(denied);
    expect(await desk.call('remove_file', { path: 'src/to-empty' }, docs)).toMatchObject(denied);
    expect(existsSync(join(desk.tree, 'src/notes.md/c.ts'))).toBe(true);
    expect(existsSync(join(desk.tree, 'src/to-empty'))).toBe(true);
    expect(await desk.call('remove_file', { path: 'src/empty' }, docs)).toMatchObject({ kind: 'answer' });
  });

  it('a fileRegex is asked about the path that is meant, whatever the words, by each tool', async () => {
    const deep = { slug: 'deep', grants: [{ group: 'edit', fileRegex: '^src/deep/' }] } as const;
    const diff = '<<<<<<< SEARCH\nexport const b = 2;\n=======\nx\n>>>>>>> REPLACE';
    const denied = { kind: 'error', code: 'E_TOOL_DENIED' };
    for (const path of ['src/a.ts', 'src/deep/../a.ts'])
      expect(await desk.call('apply_diff', { path, diff }, deep), path).toMatchObject(denied);
    expect(desk.file('src/a.ts')).toMatch(/b = 2/);
  });

  it('a mode that edits some files only has commands that write none', async () => {
    await desk.call('execute_command', { command: 'true' }, withCommands);
    expect(desk.commands).toMatchObject([{ writes: 'none' }]);
  });

  it('a pattern that explodes refuses', async () => {
    const slow = { slug: 's', grants: [{ group: 'edit', fileRegex: '^(a+)+$' }] } as const;
    const path = `${'a'.repeat(60)}!`;
    expect(await desk.call('write_to_file', { path, content: '' }, slow)).toMatchObject({
      code: 'E_BAD_PATTERN',
    });
  });
});
