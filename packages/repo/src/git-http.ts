import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { messageOf } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import { gitLimits } from './git-limits.ts';
import { Git, killGit, type GitChild } from './git-runner.ts';
import { pktLine } from './pkt-line.ts';
import { readPushCommands } from './push-commands.ts';

/** What a token allows at the git door. */
export interface GitRights {
  readonly peer: string;
  readonly push: boolean;
}

export interface GitHttpOptions {
  readonly gitDir: string;
  /** Who asks; nothing: 401. */
  readonly authorize: (request: IncomingMessage) => GitRights | undefined;
  readonly logger: Logger;
}

type Service = 'upload-pack' | 'receive-pack';

/** A refusal that the client is told. */
class HttpRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Git's smart HTTP protocol under `/git`: anything may be fetched, and only new attempts and their work in
 * progress may be pushed. Every
 * request needs a token; git itself sees a push only after its commands were read and allowed.
 */
export function gitHttpHandler(
  options: GitHttpOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const git = Git.at(options.gitDir);
  return (request, response) => {
    answer({ ...options, git }, request, response).catch((error: unknown) => {
      const status = error instanceof HttpRefusal ? error.status : 500;
      if (status === 500) options.logger.warn({ err: error, url: request.url }, 'a git request failed');
      else options.logger.info({ url: request.url, status, reason: messageOf(error) }, 'git request refused');
      refuse(request, response, { status, message: status === 500 ? 'git failed' : messageOf(error) });
    });
  };
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, message }: { readonly status: number; readonly message: string },
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // What is left of the body is not read: the connection ends with the answer.
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    connection: 'close',
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
  });
  response.end(`${message}\n`, () => request.destroy());
}

type Context = GitHttpOptions & { readonly git: Git };

async function answer(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const rights = context.authorize(request);
  if (rights === undefined) throw new HttpRefusal(401, 'a token is needed');
  const url = new URL(request.url ?? '/', 'http://localhost');
  const path = url.pathname.replace(/^\/git\//, '/');
  const isGet = request.method === 'GET';
  if (path === '/info/refs' && isGet) {
    const service = serviceOf(url.searchParams.get('service')?.replace(/^git-/, ''), rights);
    return advertise(context, service, { request, response });
  }
  if (request.method !== 'POST') throw new HttpRefusal(isGet ? 404 : 405, 'nothing here');
  const service = serviceOf(/^\/git-(upload-pack|receive-pack)$/.exec(path)?.[1], rights);
  if (request.headers['content-type'] !== `application/x-git-${service}-request`) {
    throw new HttpRefusal(415, 'not a git request');
  }
  return service === 'upload-pack'
    ? serve(context, service, { request, response, input: body(request, gitLimits.fetchRequestBytes) })
    : receive(context, { request, response }, rights);
}

function serviceOf(name: string | undefined | null, rights: GitRights): Service {
  if (name === 'upload-pack') return name;
  if (name !== 'receive-pack') throw new HttpRefusal(404, 'nothing here');
  if (!rights.push) throw new HttpRefusal(403, 'only workers hand in commits');
  return name;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function advertise(context: Context, service: Service, { request, response }: Exchange): Promise<void> {
  const child = await startService(context, service, { request, advertise: true });
  child.stdin.end();
  head(response, `application/x-git-${service}-advertisement`);
  if (protocolOf(request) !== 'version=2' || service === 'receive-pack') {
    response.write(`${pktLine(`# service=git-${service}\n`)}0000`);
  }
  await finish(child, { request, response, input: undefined });
}

async function receive(context: Context, exchange: Exchange, rights: GitRights): Promise<void> {
  const input = body(exchange.request, gitLimits.pushBytes);
  const iterator = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let buffer = Buffer.alloc(0);
  for (;;) {
    const commands = readPushCommands(buffer);
    if (commands.kind === 'refused') throw new HttpRefusal(403, commands.reason);
    if (commands.kind === 'allowed') {
      context.logger.debug({ peer: rights.peer, refs: commands.refs }, 'push');
      break;
    }
    const next = await iterator.next();
    if (next.done === true) throw new HttpRefusal(400, 'the push ends in the middle');
    buffer = Buffer.concat([buffer, next.value]);
  }
  const rest = async function* (): AsyncGenerator<Buffer> {
    yield buffer;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  };
  await serve(context, 'receive-pack', { ...exchange, input: rest() });
}

async function serve(
  context: Context,
  service: Service,
  exchange: Exchange & { readonly input: AsyncIterable<Buffer> },
): Promise<void> {
  const child = await startService(context, service, { request: exchange.request, advertise: false });
  head(exchange.response, `application/x-git-${service}-result`);
  await finish(child, exchange);
}

/** Joins a git process with its client; kills it when the client goes away or nothing moves any more. */
async function finish(
  child: GitChild,
  { response, input }: Exchange & { readonly input: AsyncIterable<Buffer> | undefined },
): Promise<void> {
  const stop = (): void => killGit(child);
  response.once('close', stop);
  const idle = setTimeout(stop, gitLimits.httpIdleMs);
  const alive = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      idle.refresh();
      done(null, chunk);
    },
  });
  child.stderr.resume();
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    const feeding = input === undefined ? undefined : pipeline(input, watch(idle), child.stdin);
    // A service that answers before it has read everything closes its input; too much input ends it.
    const fed = feeding?.catch((error: unknown) => {
      if (error instanceof HttpRefusal) stop();
    });
    await pipeline(child.stdout, alive, response);
    await fed;
    await ended;
  } finally {
    clearTimeout(idle);
    stop();
  }
}

function watch(idle: NodeJS.Timeout): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      idle.refresh();
      done(null, chunk);
    },
  });
}

function startService(
  { git, gitDir }: Context,
  service: Service,
  { request, advertise: isAdvertising }: { readonly request: IncomingMessage; readonly advertise: boolean },
): Promise<GitChild> {
  const args = [service, '--stateless-rpc', ...(isAdvertising ? ['--http-backend-info-refs'] : []), gitDir];
  return git.with({ GIT_PROTOCOL: protocolOf(request) ?? '' }).start(args);
}

function protocolOf(request: IncomingMessage): string | undefined {
  const value = request.headers['git-protocol'];
  return typeof value === 'string' && /^version=[012]$/.test(value) ? value : undefined;
}

function head(response: ServerResponse, type: string): void {
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache, max-age=0, must-revalidate' });
}

/** The body of a request, inflated if it is compressed, and refused over a limit. */
function body(request: IncomingMessage, bytesMax: number): Readable {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (!['identity', 'gzip', 'x-gzip'].includes(encoding)) throw new HttpRefusal(415, 'unknown encoding');
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > bytesMax) done(new HttpRefusal(413, `more than ${bytesMax} bytes`));
      else done(null, chunk);
    },
  });
  const parts = encoding === 'identity' ? [request, counted] : [request, createGunzip(), counted];
  // A broken or too large body reaches whoever reads `counted` as its error.
  pipeline(parts as [IncomingMessage, Transform]).catch((error: unknown) => {
    if (!counted.destroyed) counted.destroy(error instanceof Error ? error : new Error(messageOf(error)));
  });
  return counted;
}
