import { chmodSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import {
  McpSession,
  mcpServerLaunch,
  readMcpServers,
  type Executor,
  type ExecutorContext,
} from '@switchyard/agents';
import { openSandbox, type Sandbox } from '@switchyard/guard';
import type { CommitId } from '@switchyard/protocol';
import { silentLogger, systemClock } from '@switchyard/runtime';
import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WorkerBench } from './worker-bench.ts';

/** The MCP servers of a task, through the worker's own daemon and the real sandbox. */
const program = fileURLToPath(new URL('fixtures/mcp-server.mjs', import.meta.url));
let sandbox: Sandbox;
let bench: WorkerBench;
let base: CommitId;
beforeAll(async () => {
  sandbox = await openSandbox({ mode: 'auto', logger: silentLogger(), clock: systemClock });
});
afterAll(() => sandbox.close());
beforeEach(() => {
  bench = new WorkerBench(sandbox);
  base = bench.objects.commit({ 'docs/old.md': 'old\n' });
});
afterEach(() => bench.close());

/** Starts an attempt with a task that names servers of a catalogue of ours. */
async function perform(
  executor: object & { kind: Executor['kind'] },
  mcpServers: readonly string[],
  work: (context: ExecutorContext) => Promise<void>,
): Promise<void> {
  const folder = join(bench.root, 'servers');
  mkdirSync(folder);
  copyFileSync(program, join(folder, 'loud-server'));
  chmodSync(join(folder, 'loud-server'), 0o755);
  const file = join(bench.root, 'servers.json');
  const loud = { title: 'Loud', program: 'loud-server', env: ['LOUD_LICENCE'] };
  const broken = { title: 'Broken', program: 'loud-server', args: ['--broken'] };
  const unset = { title: 'Unset', program: 'loud-server', env: ['NOT_SET'] };
  writeFileSync(file, JSON.stringify({ loud, broken, unset }));
  const catalogue = readMcpServers(file);
  const search = { folders: [folder], searchPath: '', home: '/home/nobody' };
  const env = { LOUD_LICENCE: 'of the server' };
  bench.mcpLaunch = (name, tree) => mcpServerLaunch(name, { catalogue, search, env, tree });
  bench.executors = [
    {
      kind: executor.kind,
      async execute(_task, context) {
        await work(context);
        await context.files.writeFile('docs/new.md', 'x');
        return { kind: 'done', summary: 'done', outputTail: '' };
      },
    },
  ];
  bench.reopen();
  bench.openHub();
  await bench.daemon.start();
  await bench.connected();
  bench.assign(base, [], { executor, mcpServers });
}

const cli = { kind: 'cli' as const, agent: 'test' };
const llm = { kind: 'llm' as const, model: 'test' };
const nothing = (): Promise<void> => Promise.resolve();

describe('an MCP server of a task', () => {
  it('is there for our own loop, with its tools', async () => {
    const said: unknown[] = [];
    await perform(llm, ['loud'], async ({ mcp, signal }) => {
      said.push(mcp?.servers);
      said.push(await mcp?.callTool('loud', 'shout', { text: 'hello' }, signal));
      said.push(await mcp?.callTool('loud', 'whisper', { text: '' }, signal));
    });
    await bench.next('task-completed');
    expect(said).toEqual([
      [{ name: 'loud', tools: [{ name: 'shout', description: 'Says it loud' }] }],
      'HELLO of the server',
      'error: there is no whisper',
    ]);
  });

  it('is reached by an agent through a bridge, again and again, and the agent does not see what it is given', async () => {
    const said: string[] = [];
    await perform(cli, ['loud'], async (context) => {
      for (const word of ['one', 'two']) {
        const [bridge] = context.mcpBridges ?? [];
        const argv = [bridge?.command ?? '', ...(bridge?.args ?? [])];
        const child = await context.spawn(argv, { timeoutMs: 20_000, env: {} });
        const session = await McpSession.open('loud', child, systemClock);
        said.push(await session.call('shout', { text: word }, context.signal));
        session.close();
      }
      const env = await context.spawn(['env'], { timeoutMs: 20_000, env: {} });
      said.push(await text(env.stdout));
    });
    await bench.next('task-completed');
    expect(said.slice(0, 2)).toEqual(['ONE of the server', 'TWO of the server']);
    expect(said[2]).not.toContain('LOUD_LICENCE');
  });

  it('is not there for a task that does not name it', async () => {
    let bridges: unknown;
    await perform(cli, [], ({ mcpBridges }) => Promise.resolve(void (bridges = mcpBridges)));
    await bench.next('task-completed');
    // What is ours is in every attempt.
    expect(bridges).toMatchObject([{ name: 'switchyard', isOwn: true }]);
  });

  it.each([
    [
      'that does not start, with its words',
      'broken',
      /the MCP server broken has ended; it said: no licence was found/,
    ],
    [
      'that nobody knows, with those there are',
      'nobody',
      /nobody is not in the catalogue \(there are: playwright, github, .*loud/,
    ],
    ['that lacks its variable', 'unset', /unset needs the variable NOT_SET/],
    [
      'that is not installed, with how it is',
      'github',
      /npm install --prefix FOLDER @modelcontextprotocol\/server-github/,
    ],
  ])('fails the attempt: one %s', async (_what, name, words) => {
    await perform(cli, ['loud', name], nothing);
    const { payload } = await bench.next('task-failed');
    expect(payload.failure).toMatchObject({ code: 'E_MCP_SERVER', class: 'logic' });
    expect(payload.failure.message).toMatch(words);
  });
});
