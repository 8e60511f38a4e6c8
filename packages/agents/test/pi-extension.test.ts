import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { piExtension } from '../src/registry/pi-extension.ts';

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'switchyard-pi-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Offered {
  readonly name: string;
  execute(id: string, input: unknown, signal?: AbortSignal): Promise<unknown>;
}

/** A server that greets in words before it speaks the protocol. */
const chatty = `
console.log('hello, I start');
const answers = {
  'tools/list': { tools: [{ name: 'say', inputSchema: { type: 'object' } }] },
  'tools/call': { content: [{ type: 'text', text: 'said' }] },
};
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (params?.arguments?.end) process.exit(1);
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result: answers[method] ?? {} }));
});`;

it('offers the tools of a server that prints more than messages, and tells when it has ended', async () => {
  const mcpServers = { chatty: { command: process.execPath, args: ['-e', chatty] } };
  const file = join(folder, 'extension.mjs');
  writeFileSync(
    file,
    piExtension.replace('{{mcpJson}}', () => JSON.stringify({ mcpServers })),
  );
  const loaded = (await import(pathToFileURL(file).href)) as { default: (pi: object) => Promise<void> };
  const tools: Offered[] = [];
  let shutdown: () => void = () => undefined;
  await loaded.default({
    on: (_event: string, end: () => void) => (shutdown = end),
    registerTool: (tool: Offered) => tools.push(tool),
  });
  try {
    expect(tools.map(({ name }) => name)).toEqual(['mcp__chatty__say']);
    expect(await tools[0]?.execute('1', {})).toEqual({
      content: [{ type: 'text', text: 'said' }],
      details: {},
    });
    await expect(tools[0]?.execute('2', {}, AbortSignal.abort(new Error('over')))).rejects.toThrow('over');
    await expect(tools[0]?.execute('3', { end: true })).rejects.toThrow('the MCP server chatty has ended');
    await expect(tools[0]?.execute('4', {})).rejects.toThrow('the MCP server chatty has ended');
  } finally {
    shutdown();
  }
});
