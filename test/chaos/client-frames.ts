/** How a WebSocket client's bytes are laid out (RFC 6455 section 5.2). */
const headEnd = Buffer.from('\r\n\r\n');
const binary = 2;

/**
 * Reads the binary messages that a client sends to the hub out of the bytes of its connection. Other requests (git,
 * the API) have none.
 */
export class ClientFrames {
  private rest: Buffer = Buffer.alloc(0);
  private state: 'head' | 'frames' | 'other' = 'head';

  /** The messages that are whole with this chunk. */
  read(chunk: Buffer): Buffer[] {
    if (this.state === 'other') return [];
    this.rest = Buffer.concat([this.rest, chunk]);
    if (this.state === 'head' && !this.skipHead()) return [];
    const messages: Buffer[] = [];
    for (let message = this.next(); message !== undefined; message = this.next()) {
      if (message.opcode === binary) messages.push(message.payload);
    }
    return messages;
  }

  private skipHead(): boolean {
    const end = this.rest.indexOf(headEnd);
    if (end < 0) return false;
    this.state = this.rest.subarray(0, end).toString('latin1').startsWith('GET /hub') ? 'frames' : 'other';
    this.rest = this.rest.subarray(end + headEnd.length);
    return this.state === 'frames';
  }

  private next(): { opcode: number; payload: Buffer } | undefined {
    const { rest } = this;
    if (rest.length < 2) return undefined;
    const short = rest.readUInt8(1) & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const bodyAt = 2 + lengthBytes + 4;
    if (rest.length < bodyAt) return undefined;
    const length =
      lengthBytes === 0 ? short : lengthBytes === 2 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
    if (rest.length < bodyAt + length) return undefined;
    const mask = rest.subarray(bodyAt - 4, bodyAt);
    const payload = Buffer.from(rest.subarray(bodyAt, bodyAt + length));
    for (let index = 0; index < length; index += 1)
      payload[index] = (payload[index] ?? 0) ^ (mask[index % 4] ?? 0);
    this.rest = rest.subarray(bodyAt + length);
    return { opcode: rest.readUInt8(0) & 0x0f, payload };
  }
}
