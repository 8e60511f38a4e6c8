import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { installPinned } from '../agents/install-pinned.ts';
import { cliBin, Scenario, type Running } from './harness.ts';
import { closeWhenEnded, httpServer } from './mcp-client.ts';

/** The command line of the inspector, a client that is not ours: its newest, and one of the first line of the SDK. */
const installed = await installPinned({ fixture: 'pinned-inspector' });
const skipped = installed.kind === 'unreachable' ? ` (skipped: ${installed.reason})` : '';
const programs = {
  newest: 'inspector/clients/launcher/build/index.js',
  first: 'first-inspector/cli/build/cli.js',
};
const work = ['--command', 'mkdir -p "$SWITCHYARD_TASK" && echo 1 > "$SWITCHYARD_TASK/file"'];

let made: Scenario;
/** Of the test under way. */
let server: Running | undefined;
beforeAll(() => {
  made = new Scenario({ 'a.txt': 'a\n' });
});
afterEach(async () => {
  server?.child.kill('SIGTERM');
  await server?.ended;
  server = undefined;
});
afterAll(() => closeWhenEnded(made), 60_000);

/** The server that an inspector starts itself, in its words. */
const overStdio = (): Promise<string[]> => Promise.resolve([process.execPath, cliBin, 'mcp', ...work]);

/** One that listens, and the token that it asks for. */
async function overHttp(): Promise<string[]> {
  const { running, url, tokenFile } = await httpServer(made, ...work);
  server = running;
  return [url, '--header', `Authorization: Bearer ${readFileSync(tokenFile, 'utf8').trim()}`];
}

/** Runs an inspector to its end. */
const start = (which: keyof typeof programs, words: readonly string[]) => {
  const folder = installed.kind === 'installed' ? installed.folder : '';
  return made.start(process.execPath, [join(folder, 'node_modules', programs[which]), '--cli', ...words])
    .ended;
};

describe.skipIf(installed.kind === 'unreachable').each([
  { which: 'newest', way: 'stdio', target: overStdio },
  { which: 'newest', way: 'HTTP', target: overHttp },
  { which: 'first', way: 'stdio', target: overStdio },
] as const)(`the $which inspector over $way${skipped}`, ({ which, way, target }) => {
  it('lists the tools with their schemas, calls one, gets the prompt, and reads a resource', async () => {
    const words = await target();
    const inspect = async (method: string, ...more: string[]): Promise<Record<string, unknown>> => {
      const { code, stdout, stderr } = await start(which, [...words, '--method', method, ...more]);
      expect(code, stderr + stdout).toBe(0);
      return JSON.parse(stdout) as Record<string, unknown>;
    };
    const { tools } = (await inspect('tools/list')) as {
      tools: { name: string; description: string; inputSchema: object; outputSchema: object }[];
    };
    expect(tools.map(({ name }) => name)).toContain('spawn_parallel_instance');
    expect(tools.length).toBe(14);
    for (const { name, description, inputSchema, outputSchema } of tools) {
      expect(description.length, name).toBeGreaterThan(80);
      expect(inputSchema, name).toMatchObject({ type: 'object' });
      expect(outputSchema, name).toMatchObject({ type: 'object' });
    }
    const id = `${which}-${way}`;
    const args = [`taskId=${id}`, `workspacePath=./${id}`, 'systemPrompt=Do it'];
    const spawn = ['--tool-name', 'spawn_parallel_instance', ...args.flatMap((arg) => ['--tool-arg', arg])];
    const { structuredContent } = await inspect('tools/call', ...spawn);
    expect(structuredContent).toMatchObject({ status: 'spawned', workspace: join(made.repository, id) });
    const { workerId } = structuredContent as { workerId: string };
    const uri = `switchyard://runs/${workerId.split(':')[1] ?? ''}/plan`;
    expect(JSON.stringify(await inspect('resources/read', '--uri', uri))).toContain('Do it');
    const goal = ['--prompt-name', 'orchestrate', '--prompt-args', 'goal=Add login'];
    expect(JSON.stringify(await inspect('prompts/get', ...goal))).toContain('Add login');
  });
});

describe.skipIf(installed.kind === 'unreachable')(`the newest inspector${skipped}`, () => {
  it('finds no schema that some clients cannot read', async () => {
    const { code, stderr } = await start('newest', [
      ...(await overStdio()),
      '--method',
      'tools/list',
      '--strict',
    ]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.not.stringMatching(/Warning|Error/) as string,
    });
  });

  it('is refused over HTTP without the token', async () => {
    const [url = ''] = await overHttp();
    const { code, stdout } = await start('newest', [url, '--method', 'tools/list']);
    expect(code).not.toBe(0);
    expect(stdout).not.toContain('spawn_parallel_instance');
  });
});
