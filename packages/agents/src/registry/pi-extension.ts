/**
 * Pi knows no MCP servers, but loads extensions from its home folder. This one starts the servers that it is given and
 * offers their tools to Pi as `mcp__SERVER__TOOL`, the name that other agents give them. The protocol: MCP over standard
 * streams, a JSON-RPC message a line (modelcontextprotocol.io/specification/2025-06-18/basic/transports).
 */
export const piExtension = `import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const { mcpServers } = {{mcpJson}};

export default async function (pi) {
  for (const [name, { command, args }] of Object.entries(mcpServers)) {
    const server = start(name, command, args);
    pi.on('session_shutdown', () => server.stop());
    await server.ask('initialize', {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'switchyard-pi', version: '1' },
    });
    server.say({ method: 'notifications/initialized' });
    for (let cursor; ; ) {
      const { tools, nextCursor } = await server.ask('tools/list', cursor === undefined ? {} : { cursor });
      for (const tool of tools) pi.registerTool(offered(name, tool, server));
      cursor = nextCursor;
      if (cursor === undefined) break;
    }
  }
}

function offered(server, { name, description = '', inputSchema }, { ask }) {
  return {
    name: 'mcp__' + server + '__' + name,
    label: server + ': ' + name,
    description,
    promptSnippet: description.slice(0, 200).replace(/\\s+/g, ' '),
    parameters: inputSchema,
    async execute(_id, input, signal) {
      const { content, isError } = await ask('tools/call', { name, arguments: input }, signal);
      const told = content.map((part) =>
        part.type === 'text' || part.type === 'image' ? part : { type: 'text', text: JSON.stringify(part) },
      );
      if (isError) throw new Error(told.map(({ text = '' }) => text).join('\\n') || 'the tool failed');
      return { content: told, details: {} };
    },
  };
}

/** Some servers print more than messages; that is told, and ends nothing. */
function messageIn(line) {
  try {
    const message = JSON.parse(line);
    return message instanceof Object ? message : undefined;
  } catch {
    return undefined;
  }
}

/** Without its servers the agent is not the one that was asked for: what fails before it begins ends it. */
function start(name, command, args) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = new Map();
  let last = 0;
  let ended;
  const end = (why) => {
    ended ??= new Error('the MCP server ' + name + ' ' + why);
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  child.on('error', (error) => end('cannot be started: ' + error.message));
  child.on('exit', () => end('has ended'));
  child.stdin.on('error', () => undefined); // its end is told above
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = messageIn(line);
    if (message === undefined) return void console.error('the MCP server ' + name + ' said no message: ' + line.slice(0, 500));
    const { id, method, result, error } = message;
    if (method !== undefined) {
      const answer = method === 'ping' ? { result: {} } : { error: { code: -32601, message: 'not offered here' } };
      if (id !== undefined) say({ id, ...answer });
      return;
    }
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error !== undefined) asked?.reject(new Error(error.message));
    else asked?.resolve(result);
  });
  const say = (message) => child.stdin.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
  const ask = (method, params, signal) =>
    new Promise((resolve, reject) => {
      if (ended !== undefined) throw ended;
      signal?.throwIfAborted();
      const id = (last += 1);
      waiting.set(id, { resolve, reject });
      signal?.addEventListener('abort', () => {
        if (!waiting.delete(id)) return;
        say({ method: 'notifications/cancelled', params: { requestId: id } });
        reject(new Error('cancelled'));
      });
      say({ id, method, params });
    });
  return { ask, say, stop: () => child.kill() };
}
`;
