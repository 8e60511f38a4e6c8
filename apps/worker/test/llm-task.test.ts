import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createLlmExecutor } from '@switchyard/agents';
import { openSandbox, type Sandbox } from '@switchyard/guard';
import type { CommitId, Envelope } from '@switchyard/protocol';
import { silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import { ModelDesk, type Said } from '@switchyard/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openModels, type WorkerModels } from '../src/models.ts';
import { roomodesOf } from '../src/roomodes-of.ts';
import { generousPermits } from './generous-permits.ts';
import { WorkerBench } from './worker-bench.ts';

/** Our own loop in a real worker: the real sandbox, path guard, gateway and audit; only the model is played. */
let sandbox: Sandbox;
/** The one of this test. */
let held: Sandbox;
let bench: WorkerBench;
let model: ModelDesk;
let models: WorkerModels;
const key = 'sk-ant-only-for-the-provider';
const files = {
  'README.md': '# Demo\n',
  'src/auth/models.ts': 'export interface User {\n  readonly id: string;\n}\n',
  'src/auth/login/old.ts': 'export {};\n',
  'src/api.ts': 'export {};\n',
  'package.json': '{}\n',
};
beforeAll(async () => {
  sandbox = await openSandbox({ mode: 'auto', logger: silentLogger(), clock: systemClock });
});
afterAll(() => sandbox.close());
beforeEach(() => {
  held = sandbox;
  bench = new WorkerBench(held);
});
afterEach(async () => {
  await bench.close();
  await models.close();
  await model.close();
});

/** From here on, as the operator who turned it off has it. */
async function withoutSandbox(): Promise<void> {
  await bench.close();
  held = await openSandbox({ mode: 'off', logger: silentLogger(), clock: systemClock });
  bench = new WorkerBench(held);
}

type Ended = Envelope<'task-completed'> | Envelope<'task-failed'>;

/** Lets the model work on one task in src/auth/login, and gives how its attempt ended. */
async function perform(
  script: readonly Said[],
  extra: { files?: object; assignment?: object } = {},
): Promise<Ended> {
  model = await ModelDesk.open(script);
  const env = { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: model.endpoint.anthropic };
  const logger = silentLogger();
  const clock = systemClock;
  const random = systemRandom;
  models = openModels({ file: undefined, env, sandbox: held, clock, random, logger });
  models.talk.attach(generousPermits(models));
  const { openModel } = models;
  bench.openModel = (assignment) => openModel(assignment, { logger, signal: new AbortController().signal });
  bench.secrets.push(...models.secrets);
  const base = bench.objects.commit({ ...files, ...extra.files });
  const readRoomodes = roomodesOf(() => bench.objects.open(held));
  bench.executors = [createLlmExecutor({ clock, random, readRoomodes })];
  bench.reopen();
  bench.openHub();
  await bench.daemon.start();
  await bench.connected();
  assign(base, extra.assignment);
  const isEnd = ({ type }: Envelope) => type === 'task-completed' || type === 'task-failed';
  await bench.until(() => bench.received.some(isEnd));
  return bench.received.find(isEnd) as Ended;
}

function assign(base: CommitId, extra: object = {}): void {
  bench.assign(base, [], {
    instructions: 'Implement the login handler',
    workspacePath: 'src/auth/login',
    workspace: ['src/auth/login'],
    executor: { kind: 'llm', model: 'claude-test' },
    acceptance: [{ kind: 'run', run: 'grep -q handleLogin src/auth/login/handlers.ts' }],
    ...extra,
  });
}

const write = (path: string, content: string) => ({ tool: 'write_to_file', input: { path, content } });
const shell = (command: string) => ({ tool: 'execute_command', input: { command } });
const complete: Said = { calls: [{ tool: 'attempt_completion', input: { result: 'login is there' } }] };

interface Line {
  readonly kind: string;
  readonly code?: string;
  readonly what?: string;
  readonly output?: string;
  readonly status?: string;
}

function transcript(): { readonly text: string; readonly lines: readonly Line[] } {
  const [name = ''] = readdirSync(bench.transcripts);
  const text = readFileSync(join(bench.transcripts, name), 'utf8');
  return {
    text,
    lines: text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line),
  };
}

describe('a task of our own loop', () => {
  it('is done end to end: read, searched, written, changed, tried, and accepted on a fresh checkout', async () => {
    const diff = '<<<<<<< SEARCH\n  return user;\n=======\n  return user.id;\n>>>>>>> REPLACE';
    const { type, payload } = await perform([
      {
        words: 'I look around.',
        calls: [
          { tool: 'codebase_search', input: { query: 'user model' } },
          { tool: 'read_file', input: { path: 'src/auth/models.ts' } },
        ],
      },
      {
        calls: [
          write('src/auth/login/handlers.ts', 'export function handleLogin(user) {\n  return user;\n}\n'),
          { tool: 'apply_diff', input: { path: 'src/auth/login/handlers.ts', diff } },
          { tool: 'move_file', input: { from: 'src/auth/login/old.ts', to: 'src/auth/login/index.ts' } },
          shell('grep -c user.id handlers.ts && pwd'),
        ],
      },
      {
        calls: [
          {
            ...shell('grep -c user.id handlers.ts && pwd'),
            input: { command: 'grep -c user.id handlers.ts', cwd: 'src/auth/login' },
          },
        ],
      },
      complete,
    ]);
    expect(payload).toMatchObject({
      result: 'login is there',
      filesModified: ['src/auth/login/handlers.ts', 'src/auth/login/index.ts', 'src/auth/login/old.ts'],
      testsPass: true,
    });
    expect(type).toBe('task-completed');
    const commit = 'evidence' in payload ? (payload.evidence?.commit ?? '') : '';
    expect(bench.objects.show(commit, 'src/auth/login/handlers.ts')).toBe(
      'export function handleLogin(user) {\n  return user.id;\n}',
    );
    const { body } = model.heard[1] ?? { body: '' };
    expect(body).toMatch(/src\/auth\/models\.ts:1-4 \(score/);
    expect(model.heard[3]?.body).toContain('exit code 0\\n1');
    // The key is the gateway's; the loop has a token that ends with the attempt.
    expect(model.heard[0]?.headers['x-api-key']).toBe(key);
    expect(transcript().text).not.toContain(key);
    const kinds = new Set(transcript().lines.map(({ kind }) => kind));
    expect([...kinds]).toEqual(expect.arrayContaining(['prompt', 'message', 'tool-call', 'diff']));
  });

  it('a completion that is claimed is nothing: acceptance decides', async () => {
    const { type, payload } = await perform([
      { calls: [write('src/auth/login/handlers.ts', 'nothing')] },
      complete,
    ]);
    expect(type).toBe('task-failed');
    expect(payload).toMatchObject({ failure: { code: 'E_ACCEPTANCE' } });
    // What it did is kept as work in progress, and handed in as nothing.
    expect(bench.objects.refs().filter((ref) => ref.includes('/attempts/'))).toEqual([]);
  });

  it('a hostile model is held each time, and each try that tools refuse stands in the transcript', async () => {
    const { type, payload } = await perform([
      {
        calls: [
          write('../../escaped.txt', 'x'),
          write('src/api.ts', 'x'),
          write('src/auth/login/.vscode/tasks.json', '{}'),
          { tool: 'remove_file', input: { path: 'package.json' } },
          { tool: 'read_file', input: { path: '/etc/shadow' } },
        ],
      },
      {
        calls: [
          { tool: 'spawn_parallel_instance', input: { taskId: 'x', workspacePath: '.', systemPrompt: 'x' } },
        ],
      },
      {
        calls: [
          shell('echo x > src/api.ts; echo x > package.json; echo x > /tmp/../escaped; cat src/api.ts'),
          shell('env; cat /proc/1/environ 2>/dev/null; ls ~ /root 2>&1'),
          shell('yes flood | head -c 50000000'),
        ],
      },
      { calls: [write('src/auth/login/handlers.ts', 'export const handleLogin = 1;\n')] },
      complete,
    ]);
    expect(type).toBe('task-completed');
    expect(payload).toMatchObject({ filesModified: ['src/auth/login/handlers.ts'] });
    const denied = transcript().lines.filter(({ kind }) => kind === 'denied');
    expect(denied.map(({ what, code }) => `${code} ${what}`)).toEqual([
      'E_OUTSIDE_WORKSPACE write_to_file ../../escaped.txt',
      'E_READ_ONLY write_to_file src/api.ts',
      'E_PROTECTED write_to_file src/auth/login/.vscode/tasks.json',
      'E_READ_ONLY remove_file package.json',
      'E_OUTSIDE_WORKSPACE read_file /etc/shadow',
      'E_TOOL_DENIED spawn_parallel_instance .',
    ]);
    const told = model.heard[3]?.body ?? '';
    expect(told).toMatch(/cannot create|Read-only file system/);
    expect(told).toMatch(/characters left out/);
    expect(told).not.toContain(key);
    expect(told.length).toBeLessThan(200_000);
  });

  it('a mode of the base holds the task, whatever the change writes into .roomodes', async () => {
    const mode = (groups: string) =>
      `customModes: [{ slug: worker, name: W, roleDefinition: Only words., groups: [${groups}] }]\n`;
    const narrow = mode("read, command, [edit, { fileRegex: '\\.md$' }]");
    const { type, payload } = await perform(
      [
        {
          calls: [write('.roomodes', mode('read, edit, command, spawn')), write('src/auth/login/a.ts', 'x')],
        },
        { calls: [shell('echo x > src/auth/login/b.ts; mkdir -p src/auth/login/c')] },
        { calls: [write('src/auth/login/a.md', 'handleLogin')] },
        complete,
      ],
      { files: { '.roomodes': narrow }, assignment: { acceptance: [] } },
    );
    expect(type).toBe('task-completed');
    expect(payload).toMatchObject({ filesModified: ['src/auth/login/a.md'] });
    expect(model.heard[0]?.body).toContain('Only words.');
    expect(model.heard[2]?.body).toMatch(/cannot create|Read-only file system/);
    const denied = transcript().lines.filter(({ kind }) => kind === 'denied');
    expect(denied.map(({ code }) => code)).toEqual(['E_TOOL_DENIED', 'E_TOOL_DENIED']);
  });

  it('without a sandbox, commands of a mode that may not write everything are refused', async () => {
    await withoutSandbox();
    const narrow =
      "customModes: [{ slug: worker, name: W, roleDefinition: R., groups: [command, [edit, { fileRegex: '\\.md$' }]] }]\n";
    const { payload } = await perform(
      [
        { calls: [shell('echo x > src/auth/login/b.ts')] },
        { calls: [write('src/auth/login/a.md', 'x')] },
        complete,
      ],
      { files: { '.roomodes': narrow }, assignment: { acceptance: [] } },
    );
    expect(payload).toMatchObject({ filesModified: ['src/auth/login/a.md'] });
    expect(model.heard[1]?.body).toContain('E_SANDBOX_UNAVAILABLE: commands of this mode may write nothing');
    await held.close();
  });

  it.each(['with', 'without'])('%s a sandbox, what only verifies writes nothing', async (how) => {
    if (how === 'without') await withoutSandbox();
    const file = 'src/auth/login/b.ts';
    const { payload } = await perform(
      [{ calls: [shell(`echo x > ${file}`)] }, { calls: [write(file, 'x')] }, complete],
      { assignment: { kind: 'verify', workspace: [], acceptance: [] } },
    );
    expect(payload).toMatchObject({ filesModified: [] });
    expect(model.heard[1]?.body).toMatch(
      how === 'with'
        ? /Read-only file system/
        : /E_SANDBOX_UNAVAILABLE: commands of this mode may write nothing/,
    );
    expect(model.heard[2]?.body).toContain('E_READ_ONLY');
    if (how === 'without') await held.close();
  });
});
