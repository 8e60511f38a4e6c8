import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler, type NodeIncomingMessageLike } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { AppError, limits, messageOf } from '@switchyard/protocol';
import type { Desk } from './desk.ts';
import { mcpPath, refusalOf, type Guard } from './http-guard.ts';
import { makeServer } from './server.ts';

/** A server that listens. */
export interface Listening {
  readonly url: string;
  close(): Promise<void>;
}

const loopback = '127.0.0.1';
/** A plan, quoted in JSON, and what stands around it. */
const bodyBytes = 2 * limits.planFileBytes;

/** Serves streamable HTTP on the loopback, to those who show the token. Throws AppError E_PORT_TAKEN. */
export async function serveHttp(desk: Desk, token: string, say: (text: string) => void): Promise<Listening> {
  const { config } = desk;
  const handler = createMcpHandler(() => makeServer(desk), {
    maxRequestBodySize: bodyBytes,
    onerror: (error) => say(messageOf(error)),
  });
  const answer = toNodeHandler(handler);
  const server = createServer();
  const port = await listen(server, config.port);
  const guard: Guard = {
    token,
    port,
    allowedHosts: config.allowedHosts ?? [],
    allowedOrigins: config.allowedOrigins ?? [],
  };
  server.on('request', (request, response) => {
    const refusal = refusalOf(request, guard);
    if (refusal !== undefined) return refuse(request, response, refusal);
    if (Number(request.headers['content-length']) > bodyBytes) return refuseWhole(request, response);
    // Node's type says `string | undefined` where the SDK's says that it may be left out.
    answer(request as IncomingMessage & NodeIncomingMessageLike, response).catch((error: unknown) => {
      say(messageOf(error));
      response.destroy();
    });
  });
  return {
    url: `http://${loopback}:${port}${mcpPath}`,
    close: async () => {
      await handler.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, text }: NonNullable<ReturnType<typeof refusalOf>>,
): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    connection: 'close',
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
  });
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32_000, message: text }, id: null }));
  request.resume();
}

/** Who still sends would meet a closed connection in place of the answer, so it is all read first. */
function refuseWhole(request: IncomingMessage, response: ServerResponse): void {
  const text = `the request is too large: ${bodyBytes} bytes are the most`;
  request.once('end', () => refuse(request, response, { status: 413, text }));
  request.resume();
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const isTaken = cause.code === 'EADDRINUSE';
      reject(
        isTaken
          ? new AppError(
              'E_PORT_TAKEN',
              `the port ${port} is in use; choose another with --port, or 0 for any`,
            )
          : cause,
      );
    });
    server.listen(port, loopback, resolve);
  });
  return (server.address() as AddressInfo).port;
}
