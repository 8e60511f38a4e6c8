import { methods, type AgentContext, type PermissionOption } from '@agentclientprotocol/sdk';
import { AppError } from '@switchyard/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AcpBench } from './acp-bench.ts';
import { FakeProcess } from './agent-bench.ts';

let bench: AcpBench;
beforeEach(() => {
  bench = new AcpBench();
});
afterEach(() => bench.close());

describe('files that an agent asks for', () => {
  const outside = new AppError('E_OUTSIDE_WORKSPACE', 'File access denied: outside workspace: "/etc/passwd"');
  const missing = new AppError('E_NOT_FOUND', 'Nothing is there: "new.ts"');
  const read = (client: AgentContext, path: string, extra: object = {}) =>
    client.request(methods.client.fs.readTextFile, { sessionId: 's1', path, ...extra });
  const write = (client: AgentContext, path: string) =>
    client.request(methods.client.fs.writeTextFile, { sessionId: 's1', path, content: 'new' });

  it('are read and written through the guard, whole or some lines', async () => {
    const written: unknown[] = [];
    bench.files = {
      readFile: () => Promise.resolve(new TextEncoder().encode('a\nb\nc\nd')),
      writeFile: (path, content) => Promise.resolve(void written.push([path, content])),
    };
    const got: string[] = [];
    bench.play({
      async work(client) {
        got.push((await read(client, 'x')).content, (await read(client, 'x', { line: 2, limit: 2 })).content);
        await write(client, '/tree/src/login/a.ts');
        return 'end_turn';
      },
    });
    await bench.perform();
    expect(got).toEqual(['a\nb\nc\nd', 'b\nc']);
    expect(written).toEqual([['/tree/src/login/a.ts', 'new']]);
    expect(bench.events).toContainEqual({ kind: 'diff', path: '/tree/src/login/a.ts', after: 'new' });
  });

  it('are refused with the words of the guard, and the refusal is told', async () => {
    bench.files = { readFile: () => Promise.reject(outside), writeFile: () => Promise.reject(outside) };
    const answers: unknown[] = [];
    bench.play({
      async work(client) {
        answers.push(await write(client, '/etc/passwd').catch((error: unknown) => error));
        answers.push(await read(client, '/etc/passwd').catch((error: unknown) => error));
        return 'end_turn';
      },
    });
    await bench.perform();
    expect(answers).toMatchObject([{ message: expect.stringContaining('outside workspace') as string }, {}]);
    expect(bench.events.filter(({ kind }) => kind === 'denied')).toMatchObject([
      { what: 'write /etc/passwd', code: 'E_OUTSIDE_WORKSPACE' },
      { what: 'read /etc/passwd', code: 'E_OUTSIDE_WORKSPACE' },
    ]);
  });

  it.each([
    ['empty to agents that cannot take the error', 'claude-code', ''],
    ['an error to others', 'qwen', 'error'],
  ])('that are not there are %s', async (_what, agent, expected) => {
    bench.files = { readFile: () => Promise.reject(missing) };
    let got = 'nothing was asked';
    bench.play({
      async work(client) {
        got = await read(client, 'new.ts').then(
          ({ content }) => content,
          () => 'error',
        );
        return 'end_turn';
      },
    });
    await bench.perform({ agent, model: 'm' });
    expect(got).toBe(expected);
    expect(bench.events.filter(({ kind }) => kind === 'denied')).toEqual([]);
  });

  it('are written by no agent of a task that only reviews', async () => {
    bench.files = { writeFile: () => Promise.resolve() };
    let answer: unknown;
    bench.play({
      async work(client) {
        answer = await write(client, 'a').catch((error: unknown) => error);
        return 'end_turn';
      },
    });
    await bench.perform({}, { kind: 'review', workspace: [] });
    expect(answer).toBeInstanceOf(Error);
    expect(bench.events).toContainEqual(expect.objectContaining({ kind: 'denied', code: 'E_TOOL_DENIED' }));
  });
});

describe('what an agent asks permission for', () => {
  const options: PermissionOption[] = [
    { optionId: 'always', kind: 'allow_always', name: 'Always' },
    { optionId: 'yes', kind: 'allow_once', name: 'Yes' },
    { optionId: 'no', kind: 'reject_once', name: 'No' },
  ];
  const inWorkspace = '/tree/src/login/a.ts';

  it.each([
    ['a change in its workspace', { kind: 'edit', locations: [{ path: inWorkspace }] }, {}, 'yes'],
    ['a change elsewhere', { kind: 'edit', locations: [{ path: '/tree/src/other.ts' }] }, {}, 'no'],
    [
      'a change elsewhere beside one in its workspace',
      {
        kind: 'edit',
        locations: [{ path: inWorkspace }],
        content: [{ type: 'diff', path: '/etc/x', newText: '' }],
      },
      {},
      'no',
    ],
    ['a removal elsewhere', { kind: 'delete', locations: [{ path: '/tree/src/other.ts' }] }, {}, 'no'],
    ['a removal where the task only reviews', { kind: 'delete' }, { kind: 'review', workspace: [] }, 'no'],
    ['a command, which the sandbox holds', { kind: 'execute' }, {}, 'yes'],
    ['the network', { kind: 'fetch' }, {}, 'no'],
    ['something of its own, such as a tool of an MCP server', {}, {}, 'yes'],
    ['the same where the task only reviews', {}, { kind: 'verify', workspace: [] }, 'no'],
    [
      'to ask, where the task only reviews',
      { title: 'mcp__switchyard__ask_orchestrator' },
      { kind: 'verify', workspace: [] },
      'yes',
    ],
    ['another mode of its own', { kind: 'switch_mode' }, {}, 'yes'],
    [
      'another mode where the task only reviews',
      { kind: 'switch_mode' },
      { kind: 'verify', workspace: [] },
      'no',
    ],
    ['a change where the task only reviews', { kind: 'edit' }, { kind: 'review', workspace: [] }, 'no'],
  ] as const)('%s', async (_what, asked, extra, expected) => {
    bench.files = {
      explain: (path) =>
        path === inWorkspace
          ? { allowed: true, reason: 'it may' }
          : { allowed: false, reason: 'outside', code: 'E_OUTSIDE_WORKSPACE' },
    };
    let answer: unknown;
    bench.play({
      async work(client) {
        const toolCall = { toolCallId: 't', title: 'It', ...asked } as never;
        answer = await client.request(methods.client.session.requestPermission, {
          sessionId: 's1',
          toolCall,
          options,
        });
        return 'end_turn';
      },
    });
    await bench.perform({}, extra);
    expect(answer).toEqual({ outcome: { outcome: 'selected', optionId: expected } });
    expect(bench.events).toContainEqual(
      expect.objectContaining({ kind: 'permission', decision: expected === 'yes' ? 'allowed' : 'refused' }),
    );
  });
});

describe('a mode of the repository', () => {
  const roomodes = JSON.stringify({
    customModes: [
      {
        slug: 'docs-writer',
        name: 'Docs',
        roleDefinition: 'You write documentation.',
        customInstructions: 'Every example must run.',
        groups: ['read', ['edit', { fileRegex: '\\.md$' }]],
      },
    ],
  });

  it('decides what its agent may do: which files, and that it writes none by itself', async () => {
    bench.roomodes = roomodes;
    const written: string[] = [];
    bench.files = {
      explain: () => ({ allowed: true, reason: 'it may' }),
      listFiles: () => Promise.resolve([]),
      writeFile: (path) => Promise.resolve(void written.push(path)),
    };
    const options: PermissionOption[] = [
      { optionId: 'yes', kind: 'allow_once', name: 'Yes' },
      { optionId: 'no', kind: 'reject_once', name: 'No' },
    ];
    const answers: unknown[] = [];
    const heard = bench.play({
      modes: { currentModeId: 'plan', availableModes: [{ id: 'default', name: 'Default' }] },
      async work(client) {
        for (const path of ['/tree/docs/a.md', '/tree/docs/a.ts']) {
          const toolCall = { toolCallId: 't', kind: 'edit', locations: [{ path }] } as never;
          const asked = { sessionId: 's1', toolCall, options };
          answers.push(await client.request(methods.client.session.requestPermission, asked));
          await client
            .request(methods.client.fs.writeTextFile, { sessionId: 's1', path, content: 'x' })
            .catch((error: unknown) => answers.push(String(error)));
        }
        return 'end_turn';
      },
    });
    expect(await bench.perform({ mode: 'docs-writer' })).toMatchObject({ kind: 'done' });
    expect(answers).toMatchObject([
      { outcome: { optionId: 'yes' } },
      { outcome: { optionId: 'no' } },
      expect.stringMatching(/edits only files whose paths match/),
    ]);
    expect(written).toEqual(['/tree/docs/a.md']);
    expect(bench.spawned[0]?.writes).toBe('none');
    expect(heard.mode).toBe('default');
    const [prompt] = heard.prompt?.prompt ?? [];
    expect(prompt).toMatchObject({
      text: expect.stringMatching(/^# Who you are\n\nYou write documentation\.\n\nEvery example/) as string,
    });
  });

  it('has no commands where it is given none: neither leave nor terminals', async () => {
    bench.roomodes = roomodes;
    bench.others.push(new FakeProcess());
    const options: PermissionOption[] = [
      { optionId: 'yes', kind: 'allow_once', name: 'Yes' },
      { optionId: 'no', kind: 'reject_once', name: 'No' },
    ];
    const answers: unknown[] = [];
    bench.play({
      modes: { currentModeId: 'plan', availableModes: [{ id: 'default', name: 'Default' }] },
      async work(client) {
        const toolCall = { toolCallId: 't', kind: 'execute' } as never;
        answers.push(
          await client.request(methods.client.session.requestPermission, {
            sessionId: 's1',
            toolCall,
            options,
          }),
          await client
            .request(methods.client.terminal.create, { sessionId: 's1', command: 'ls' })
            .catch((error: unknown) => String(error)),
        );
        return 'end_turn';
      },
    });
    await bench.perform({ mode: 'docs-writer' });
    expect(answers).toMatchObject([
      { outcome: { optionId: 'no' } },
      expect.stringContaining('runs no commands'),
    ]);
    expect(bench.spawned).toHaveLength(1);
  });

  it('is nobody’s where neither the file nor the agent has one of that name', async () => {
    bench.roomodes = roomodes;
    bench.play({});
    expect(await bench.perform({ mode: 'other' })).toMatchObject({
      failure: {
        code: 'E_AGENT_PROTOCOL',
        message: expect.stringContaining('no session mode "other"') as string,
      },
    });
  });
});
