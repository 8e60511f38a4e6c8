import { createHash } from 'node:crypto';
import { createServer, isIP, type AddressInfo, type Server, type Socket } from 'node:net';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import { AppError } from '@switchyard/protocol';

/** A loopback address that leads to a pinned one. */
export interface PinnedForwarder {
  /** The same path behind `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Why the last connection failed, if it did; taken once. */
  takeError(): AppError | undefined;
  close(): Promise<void>;
}

export interface PinnedForwarderOptions {
  /** `https://host:port/path`. */
  readonly url: string;
  /** `sha256:` and the digest of the certificate's DER bytes in hexadecimal digits. */
  readonly fingerprint: string;
}

const connectTimeoutMs = 10_000;

/**
 * git cannot be told to accept one certificate by its fingerprint, so it talks HTTP to a port of the loopback, and
 * this passes the bytes on over TLS, to exactly the certificate that the invitation names. Nothing is passed before
 * the certificate was compared. Only processes of this machine reach the port, and each still needs the token.
 */
export async function pinnedForwarder(options: PinnedForwarderOptions): Promise<PinnedForwarder> {
  const target = new URL(options.url);
  if (target.protocol !== 'https:')
    throw new AppError('E_FINGERPRINT', `${options.url} has no certificate to compare; it must be https://`);
  let lastError: AppError | undefined;
  const open = new Set<Socket>();
  const server = createServer((local) => {
    const remote = connectPinned(target, options.fingerprint, (error) => {
      lastError = error;
      local.destroy();
    });
    for (const socket of [local, remote]) {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
    }
    join(local, remote);
  });
  await listen(server);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${target.pathname}${target.search}`,
    takeError() {
      const error = lastError;
      lastError = undefined;
      return error;
    },
    close: () =>
      new Promise((resolve) => {
        // Closing twice is fine: the error then only says that it is closed.
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      server.off('error', reject);
      server.unref();
      resolve();
    });
  });
}

/** Passes bytes on both ways once the certificate was compared; the end of one side ends the other. */
function join(local: Socket, remote: TLSSocket): void {
  local.pause();
  remote.once('pinned', () => {
    local.pipe(remote);
    remote.pipe(local);
  });
  // Their errors are the end of the connection, which git sees and words.
  local.on('error', () => remote.destroy());
  local.on('close', () => remote.destroy());
  remote.on('close', () => local.destroy());
}

function connectPinned(target: URL, fingerprint: string, failed: (error: AppError) => void): TLSSocket {
  const host = target.hostname.replace(/^\[|\]$/g, '');
  const socket = tlsConnect({
    host,
    port: target.port === '' ? 443 : Number(target.port),
    // The fingerprint names the one certificate; names and signers add nothing to that.
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
  const fail = (error: AppError): void => {
    failed(error);
    socket.destroy();
  };
  socket.setTimeout(connectTimeoutMs, () =>
    fail(new AppError('E_UNREACHABLE', `${target.host} does not answer`)),
  );
  socket.on('error', (cause) =>
    fail(new AppError('E_UNREACHABLE', `${target.host} does not answer: ${cause.message}`, { cause })),
  );
  socket.once('secureConnect', () => {
    const raw = socket.getPeerCertificate().raw as Buffer | undefined;
    const found = raw === undefined ? 'none' : createHash('sha256').update(raw).digest('hex');
    if (found !== hexOf(fingerprint)) {
      const text = `${target.host} shows the certificate sha256:${found}, not the invited ${fingerprint}`;
      return fail(new AppError('E_FINGERPRINT', text));
    }
    socket.setTimeout(0);
    socket.emit('pinned');
  });
  return socket;
}

function hexOf(fingerprint: string): string {
  return fingerprint
    .toLowerCase()
    .replace(/^sha256:/, '')
    .replaceAll(':', '');
}
