/** The ways out of one process: its proxy, the sockets that it may reach, and what it is told of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, messageOf } from '@switchyard/protocol';
import { hostRule } from './allowed-hosts.ts';
import { openEgressProxy, type EgressProxy, type EgressProxyOptions } from './egress-proxy.ts';
import { forwarderFolder, throughForwarder } from './forwarder.ts';
import type { ProcessRequest, SandboxMount, SandboxNetwork } from './sandbox-request.ts';

/** Where the proxy is found inside; the usual port of one. */
const proxyPort = 3128;

export interface NetworkAccess {
  /** The request with what it needs to use its ways out. */
  readonly request: ProcessRequest;
  /** Whether the forwarder has to be inside. */
  readonly isNeeded: boolean;
  /** Places that were asked for and refused; undefined where there is no proxy. */
  refused(): readonly string[] | undefined;
  close(): Promise<void>;
}

/** How hosts are reached. */
type AccessContext = Pick<EgressProxyOptions, 'upstream' | 'resolve' | 'logger'>;

/** Opens the ways out that a request asks for. Throws E_SANDBOX for a list that cannot be read. */
export async function openNetworkAccess(
  request: ProcessRequest,
  context: AccessContext,
): Promise<NetworkAccess> {
  const { network } = request;
  if (network === 'none')
    return { request, isNeeded: false, refused: () => undefined, close: () => Promise.resolve() };
  checkPorts(network);
  const proxy = await openProxy(network, context);
  const ways = [
    ...(proxy === undefined ? [] : [{ port: proxyPort, path: proxy.path }]),
    ...(network.sockets ?? []),
  ];
  const mounts = ways.map(({ port, path }): SandboxMount => ({
    kind: 'read',
    source: path,
    target: socketInside(port),
  }));
  const pairs = ways.map(({ port }) => ({ port, socket: socketInside(port) }));
  return {
    request: {
      ...request,
      argv: ways.length === 0 ? request.argv : throughForwarder(request.argv, pairs),
      mounts: [...request.mounts, ...mounts],
      env: { ...request.env, ...(proxy === undefined ? {} : proxyEnvironment) },
    },
    isNeeded: ways.length > 0,
    refused: () => proxy?.door.refused,
    close: () => proxy?.close() ?? Promise.resolve(),
  };
}

function socketInside(port: number): string {
  return `${forwarderFolder}/${port}.sock`;
}

function checkPorts({ sockets = [], allow, operator = [] }: SandboxNetwork): void {
  const hasProxy = allow.length + operator.length > 0;
  const ports = [...(hasProxy ? [proxyPort] : []), ...sockets.map(({ port }) => port)];
  const wrong = ports.find(
    (port, index) => !(port >= 1024 && port <= 65_535) || ports.indexOf(port) !== index,
  );
  if (wrong !== undefined)
    throw new AppError('E_SANDBOX', `Port ${wrong} cannot lead out of the sandbox: 1024 to 65535, each once`);
}

/** The variables that programs look at; NODE_USE_ENV_PROXY makes Node's own fetch do so (Node 24). */
const proxyEnvironment: Readonly<Record<string, string>> = (() => {
  const address = `http://127.0.0.1:${proxyPort}`;
  const own = 'localhost,127.0.0.1,::1';
  return {
    HTTP_PROXY: address,
    HTTPS_PROXY: address,
    ALL_PROXY: address,
    http_proxy: address,
    https_proxy: address,
    all_proxy: address,
    NO_PROXY: own,
    no_proxy: own,
    npm_config_proxy: address,
    npm_config_https_proxy: address,
    npm_config_noproxy: own,
    NODE_USE_ENV_PROXY: '1',
  };
})();

interface OpenProxy {
  readonly path: string;
  readonly door: EgressProxy;
  close(): Promise<void>;
}

/** The socket lies in a folder that only we can enter; the sandbox sees the socket alone. */
async function openProxy(
  { allow, operator = [] }: SandboxNetwork,
  { upstream, resolve, logger }: AccessContext,
): Promise<OpenProxy | undefined> {
  if (allow.length + operator.length === 0) return undefined;
  // The operator's first: what is named by both may be private.
  const rules = [...operator.map((text) => hostRule(text, true)), ...allow.map((text) => hostRule(text))];
  const folder = privateFolder();
  const path = join(folder, 'proxy.sock');
  try {
    const door = await openEgressProxy(path, { rules, upstream, resolve, logger });
    return {
      path,
      door,
      async close() {
        await door.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw unopened(error);
  }
}

function privateFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'switchyard-net-'));
  } catch (error) {
    throw unopened(error);
  }
}

function unopened(cause: unknown): AppError {
  return new AppError('E_SANDBOX', `The way to the network cannot be opened: ${messageOf(cause)}`, { cause });
}
