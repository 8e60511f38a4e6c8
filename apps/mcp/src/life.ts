import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { limits, messageOf } from '@switchyard/protocol';
import type { McpConfig } from './config.ts';
import { Desk } from './desk.ts';
import { openHttpToken } from './http-token.ts';
import { serveHttp } from './http.ts';
import { makeServer } from './server.ts';
import { Station } from './station.ts';

/** A message larger than this ends a connection over stdio. */
const messageBytes = 4 * limits.planFileBytes;

/** Serves until the client has gone or a signal comes; runs that were started go on. */
export async function live(config: McpConfig, say: (text: string) => void): Promise<void> {
  const desk = new Desk(config, new Station(config, say));
  const signalled = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
  // Between two requests nothing else would keep this process alive.
  const awake = setInterval(() => undefined, 60_000);
  try {
    await (config.http ? overHttp(desk, say, signalled) : overStdio(desk, say, signalled));
  } finally {
    clearInterval(awake);
    await desk.station.close();
  }
}

async function overHttp(desk: Desk, say: (text: string) => void, signalled: Promise<void>): Promise<void> {
  const { token, file } = await openHttpToken(desk.config);
  const served = await serveHttp(desk, token, say);
  say(`listening at ${served.url}; the token is in ${file}`);
  await signalled;
  await served.close();
}

async function overStdio(desk: Desk, say: (text: string) => void, signalled: Promise<void>): Promise<void> {
  const transport = new StdioServerTransport(process.stdin, process.stdout, { maxBufferSize: messageBytes });
  const gone = new Promise<void>((resolve) => {
    process.stdin.once('end', resolve).once('close', resolve).once('error', resolve);
    process.stdout.once('error', () => resolve());
  });
  const served = serveStdio(() => makeServer(desk), {
    transport,
    onerror: (error) => say(messageOf(error)),
  });
  await Promise.race([gone, signalled]);
  await served.close();
}
