import { closeCodes } from '@switchyard/protocol';
import { WebSocket, type RawData } from 'ws';
import type { Channel } from './channel.ts';

/** How long a closing peer may take to read what is left and confirm. */
export const closeTimeoutMs = 2_000;
/** RFC 6455 section 7.4.1 codes by which ws answers broken frames → ours. */
const translated: ReadonlyMap<number, number> = new Map([
  [1002, closeCodes.badFrame.code],
  [1003, closeCodes.badFrame.code],
  [1007, closeCodes.badFrame.code],
  [1009, closeCodes.frameTooLarge.code],
]);

/** A WebSocket that tells a peer in our own codes why it is closed. */
export class HubSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    super.close(code === undefined ? code : (translated.get(code) ?? code), reason);
  }
}

/** Makes an open WebSocket a channel. Text frames close it with 4400. */
export function socketChannel(socket: WebSocket, remote: string | undefined): Channel {
  return new SocketChannel(socket, remote);
}

class SocketChannel implements Channel {
  readonly remote?: string;
  private readonly socket: WebSocket;
  private frameHandler: ((frame: Uint8Array) => void) | undefined;
  private closeHandler: ((code: number, reason: string) => void) | undefined;
  /** Frames and the end that came before somebody listened. */
  private early: Uint8Array[] = [];
  private closedEarly: { code: number; reason: string } | undefined;

  constructor(socket: WebSocket, remote: string | undefined) {
    this.socket = socket;
    if (remote !== undefined) this.remote = remote;
    socket.binaryType = 'nodebuffer';
    socket.on('message', (data, isBinary) => this.receive(data, isBinary));
    socket.on('close', (code, reason) => this.ended(code, reason.toString('utf8')));
    // ws closes by itself after an error, and `close` above tells of it.
    socket.on('error', () => undefined);
  }

  get bufferedBytes(): number {
    return this.socket.bufferedAmount;
  }

  send(frame: Uint8Array): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    // An error here ends the socket, and `close` tells of it.
    this.socket.send(frame, { binary: true }, () => undefined);
  }

  close(code: number, reason: string): void {
    if (code === 1006) return this.socket.terminate();
    if (this.socket.readyState === WebSocket.CLOSING || this.socket.readyState === WebSocket.CLOSED) return;
    this.socket.close(code, shortReason(reason));
    // A paused socket would never read the other side's answer.
    this.socket.resume();
    const timer = setTimeout(() => this.socket.terminate(), closeTimeoutMs);
    timer.unref();
    this.socket.once('close', () => clearTimeout(timer));
  }

  onFrame(handler: (frame: Uint8Array) => void): void {
    this.frameHandler = handler;
    const { early } = this;
    this.early = [];
    for (const frame of early) handler(frame);
  }

  onClose(handler: (code: number, reason: string) => void): void {
    this.closeHandler = handler;
    const { closedEarly } = this;
    if (closedEarly !== undefined) queueMicrotask(() => handler(closedEarly.code, closedEarly.reason));
  }

  pause(): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  private receive(data: RawData, isBinary: boolean): void {
    if (!isBinary || !(data instanceof Uint8Array)) {
      this.close(closeCodes.badFrame.code, 'a text frame');
      return;
    }
    if (this.socket.readyState !== WebSocket.OPEN) return;
    if (this.frameHandler === undefined) this.early.push(data);
    else this.frameHandler(data);
  }

  private ended(code: number, reason: string): void {
    const ours = translated.get(code) ?? code;
    if (this.closeHandler === undefined) this.closedEarly = { code: ours, reason };
    else this.closeHandler(ours, reason);
  }
}

/** A close reason has at most 123 bytes (RFC 6455 section 5.5.1). */
function shortReason(reason: string): string {
  const bytes = Buffer.from(reason, 'utf8');
  if (bytes.length <= 123) return reason;
  return `${bytes
    .subarray(0, 117)
    .toString('utf8')
    .replace(/\uFFFD+$/u, '')}…`;
}
