import { X509Certificate, createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import { AppError, limits, subprotocol, type Lane } from '@switchyard/protocol';
import type { WebSocket } from 'ws';
import type { Channel, Dial } from './channel.ts';
import { frameLimit } from './envelope-writer.ts';
import { isLoopback } from './loopback.ts';
import { HubSocket, socketChannel } from './socket-channel.ts';

export interface WebSocketDialOptions {
  /** `ws://host:port/hub` (loopback only) or `wss://…`. */
  readonly url: string;
  /** Asked at every dial, since a one-time token is exchanged for a lasting one. */
  readonly token: () => string;
  /** `sha256:` and 64 hexadecimal digits: the only certificate that is accepted, whoever signed it. */
  readonly fingerprint?: string | undefined;
}

const dialTimeoutMs = limits.helloTimeoutMs;

/**
 * Dials a hub over WebSocket. Rejects with AppError E_UNREACHABLE (tried again), E_TOKEN, E_FINGERPRINT, E_VERSION,
 * E_CONFIG. With a fingerprint the token leaves only after the certificate has been compared.
 */
export function webSocketDial(options: WebSocketDialOptions): Dial {
  return async (lane) => {
    const url = hubUrl(options.url, lane);
    const { fingerprint } = options;
    const secure = url.protocol === 'wss:';
    if (fingerprint !== undefined && !secure)
      throw new AppError(
        'E_FINGERPRINT',
        `${options.url} has no certificate to compare; the address must be wss://`,
      );
    if (!secure && !isLoopback(url.hostname))
      throw new AppError(
        'E_CONFIG',
        `${options.url} would send the token in the clear; use the wss:// address that \`switchyard invite\` prints`,
      );
    const pinned = fingerprint === undefined ? undefined : await connectPinned(url, fingerprint);
    return openSocket(url, lane, options.token(), pinned);
  };
}

function hubUrl(text: string, lane: Lane): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new AppError('E_CONFIG', `${JSON.stringify(text)} is no address of a hub`, { cause });
  }
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:')
    throw new AppError('E_CONFIG', `${text} is no ws:// or wss:// address`);
  url.searchParams.set('lane', lane);
  return url;
}

function openSocket(url: URL, lane: Lane, token: string, pinned: TLSSocket | undefined): Promise<Channel> {
  return new Promise<Channel>((resolve, reject) => {
    const socket = new HubSocket(url, [subprotocol], {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
      followRedirects: false,
      maxPayload: frameLimit(lane),
      handshakeTimeout: dialTimeoutMs,
      ...(pinned === undefined ? {} : { createConnection: (): Duplex => pinned }),
    });
    const channel = socketChannel(socket, url.host);
    const fail = (error: AppError): void => {
      pinned?.destroy();
      reject(error);
    };
    socket.once('open', () => resolve(channel));
    socket.once('unexpected-response', (_request, response) => {
      fail(refusal(url, response));
      abandon(socket);
    });
    socket.once('error', (cause: Error) => fail(unreachable(url, cause)));
    socket.once('close', (code) => fail(new AppError('E_UNREACHABLE', `${url.host} closed with ${code}`)));
  });
}

/** Ends a socket whose upgrade was refused; its own complaint about that says nothing new. */
function abandon(socket: WebSocket): void {
  socket.terminate();
}

/** What an HTTP answer to the upgrade means. */
function refusal(url: URL, response: IncomingMessage): AppError {
  response.resume();
  const status = response.statusCode ?? 0;
  const where = `${url.protocol}//${url.host}${url.pathname}`;
  switch (status) {
    case 401:
      return new AppError('E_TOKEN', `${where} refused the token: it is wrong, used up, revoked or expired`);
    case 400:
    case 426:
      return new AppError('E_VERSION', `${where} does not speak ${subprotocol}; update the older side`);
    case 403:
      return new AppError('E_TOKEN', `${where} refused the connection (403)`);
    default:
      return new AppError(
        'E_UNREACHABLE',
        `${where} answered ${status}, which no hub does; is the address right?`,
      );
  }
}

const certificateErrors = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_)/;

function unreachable(url: URL, cause: Error & { code?: unknown }): AppError {
  const code = typeof cause.code === 'string' ? cause.code : '';
  if (certificateErrors.test(code))
    return new AppError(
      'E_FINGERPRINT',
      `the certificate of ${url.host} is not trusted (${code}); give the fingerprint that \`switchyard invite\` printed`,
      { cause },
    );
  return new AppError('E_UNREACHABLE', `${url.host} does not answer: ${code === '' ? cause.message : code}`, {
    cause,
  });
}

/** A TLS connection to exactly the pinned certificate; nothing has been sent on it. */
function connectPinned(url: URL, fingerprint: string): Promise<TLSSocket> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return new Promise<TLSSocket>((resolve, reject) => {
    const socket = tlsConnect({
      host,
      port: url.port === '' ? 443 : Number(url.port),
      // The fingerprint names the one certificate; names and signers add nothing to that.
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
      minVersion: 'TLSv1.2',
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    const fail = (error: AppError): void => {
      socket.destroy();
      reject(error);
    };
    const onError = (cause: Error): void => fail(unreachable(url, cause));
    socket.setTimeout(dialTimeoutMs, () =>
      fail(new AppError('E_UNREACHABLE', `${url.host} does not answer`)),
    );
    socket.once('error', onError);
    socket.once('secureConnect', () => {
      const raw = socket.getPeerCertificate().raw as Buffer | undefined;
      const found = raw === undefined ? 'none' : fingerprintOf(raw);
      if (found !== normalFingerprint(fingerprint))
        return fail(
          new AppError(
            'E_FINGERPRINT',
            `${url.host} shows the certificate ${found}, not the invited ${fingerprint}; where its orchestrator made another one, its log says so, and \`switchyard invite\` there names that`,
          ),
        );
      socket.setTimeout(0);
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

function normalFingerprint(text: string): string {
  return `sha256:${text
    .toLowerCase()
    .replace(/^sha256:/, '')
    .replaceAll(':', '')}`;
}

/** The SHA-256 of a certificate (DER bytes or PEM text), as `sha256:` and hexadecimal digits. */
export function fingerprintOf(certificate: Uint8Array | string): string {
  const der = typeof certificate === 'string' ? new X509Certificate(certificate).raw : certificate;
  return `sha256:${createHash('sha256').update(der).digest('hex')}`;
}
