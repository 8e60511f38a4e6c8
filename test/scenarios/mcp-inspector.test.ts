import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cliBin, Scenario } from './harness.ts';
import { closeWhenEnded } from './mcp-client.ts';

/** The command line of the inspector, a client that is not ours and of the first line of the SDK. */
const version = '0.15.0';
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'switchyard-tests');
const folder = join(cache, `inspector-${version}`);
const program = join(folder, 'node_modules/.bin/mcp-inspector');

/** Installs it once for all runs of the tests; the answer says why it cannot be had. */
function installed(): string | undefined {
  if (existsSync(program)) return undefined;
  mkdirSync(cache, { recursive: true });
  const aside = mkdtempSync(join(cache, 'new-'));
  const words = ['install', '--prefix', aside, '--no-audit', '--no-fund', '--ignore-scripts', '--no-save'];
  const npm = spawnSync('npm', [...words, `@modelcontextprotocol/inspector@${version}`], {
    encoding: 'utf8',
    timeout: 240_000,
  });
  if (npm.status === 0 && !existsSync(folder)) renameSync(aside, folder);
  rmSync(aside, { recursive: true, force: true });
  if (existsSync(program)) return undefined;
  const unreachable = /E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|NETUNREACH)|network/.exec(
    npm.stderr ?? '',
  );
  if (unreachable === null && npm.signal === null) throw new Error(`npm could not install it: ${npm.stderr}`);
  return `the registry cannot be reached (${unreachable?.[0] ?? npm.signal})`;
}

describe('the inspector', () => {
  let made: Scenario;
  let why: string | undefined;

  beforeAll(() => {
    why = installed();
    made = new Scenario({ 'a.txt': 'a\n' });
  }, 300_000);
  afterAll(() => closeWhenEnded(made), 60_000);

  const inspect = async (...words: string[]): Promise<Record<string, unknown>> => {
    const server = [process.execPath, cliBin, 'mcp', '--command', 'mkdir -p one && echo 1 > one/file'];
    const { code, stdout, stderr } = await made.start(program, ['--cli', ...server, ...words]).ended;
    expect(code, stderr + stdout).toBe(0);
    return JSON.parse(stdout) as Record<string, unknown>;
  };

  it('lists the tools with their schemas, calls one, and reads a resource', async ({ skip }) => {
    if (why !== undefined) skip(why);
    const { tools } = (await inspect('--method', 'tools/list')) as {
      tools: { name: string; description: string; inputSchema: object; outputSchema: object }[];
    };
    expect(tools.map(({ name }) => name)).toContain('spawn_parallel_instance');
    expect(tools.length).toBe(14);
    for (const { name, description, inputSchema, outputSchema } of tools) {
      expect(description.length, name).toBeGreaterThan(80);
      expect(inputSchema, name).toMatchObject({ type: 'object' });
      expect(outputSchema, name).toMatchObject({ type: 'object' });
    }
    const args = ['taskId=one', 'workspacePath=./one', 'systemPrompt=Do it'];
    const call = ['--method', 'tools/call', '--tool-name', 'spawn_parallel_instance'];
    const { structuredContent } = await inspect(...call, ...args.flatMap((arg) => ['--tool-arg', arg]));
    expect(structuredContent).toMatchObject({ status: 'spawned', workspace: join(made.repository, 'one') });
    const { workerId } = structuredContent as { workerId: string };
    const uri = `switchyard://runs/${workerId.split(':')[1] ?? ''}/plan`;
    const read = await inspect('--method', 'resources/read', '--uri', uri);
    expect(JSON.stringify(read)).toContain('Do it');
  });
});
