import { Transform, type TransformCallback } from 'node:stream';
import type { ToldTokens } from './cost.ts';
import { readTokens } from './forms.ts';
import type { PreparedRequest } from './request-body.ts';

/** More of an answer than this is passed on unread; its tokens are then estimated. */
const readBytesMax = 16 * 1024 * 1024;

/** What an answer has told so far. */
export interface Told {
  readonly tokens: ToldTokens | undefined;
  readonly bytes: number;
}

/**
 * An answer on its way to the agent, passed on as it comes: events of a stream one by one, anything else byte by byte.
 * Reads what the provider says of the tokens.
 */
export class AnswerTap extends Transform {
  private readonly request: PreparedRequest;
  private readonly isEvents: boolean;
  private held: Buffer[] = [];
  private heldBytes = 0;
  private isTooLong = false;
  private tokens: ToldTokens | undefined;
  private bytes = 0;

  constructor(request: PreparedRequest, contentType: string) {
    super();
    this.request = request;
    this.isEvents = contentType.includes('text/event-stream');
  }

  get told(): Told {
    return { tokens: this.tokens, bytes: this.bytes };
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    if (this.isTooLong) {
      this.push(chunk);
      return done();
    }
    this.held.push(chunk);
    this.heldBytes += chunk.length;
    if (this.isEvents) this.passEvents(chunk);
    else this.push(chunk);
    if (this.heldBytes > readBytesMax) this.giveUpReading();
    done();
  }

  override _flush(done: TransformCallback): void {
    const rest = Buffer.concat(this.held);
    if (this.isEvents) {
      if (rest.length > 0 && this.isPassed(rest)) this.push(rest);
    } else if (!this.isTooLong) this.heed(rest.toString('utf8'));
    done();
  }

  /** An event ends with an empty line; what is behind the last one waits for the rest of it. */
  private passEvents(chunk: Buffer): void {
    if (!chunk.includes(10)) return;
    let text = Buffer.concat(this.held);
    for (let end = endOfEvent(text); end > 0; end = endOfEvent(text)) {
      const event = text.subarray(0, end);
      if (this.isPassed(event)) this.push(event);
      text = text.subarray(end);
    }
    this.held = text.length === 0 ? [] : [text];
    this.heldBytes = text.length;
  }

  private giveUpReading(): void {
    this.isTooLong = true;
    if (this.isEvents) this.push(Buffer.concat(this.held));
    this.held = [];
    this.heldBytes = 0;
  }

  /** Reads an event; false: it is the one that only the gateway asked for. */
  private isPassed(event: Buffer): boolean {
    const data = event
      .toString('utf8')
      .split(/\r?\n/)
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).trim())
      .join('\n');
    if (data === '' || data === '[DONE]') return true;
    const value = this.heed(data);
    if (!this.request.dropsUsage || typeof value !== 'object' || value === null) return true;
    const { choices, usage } = value as { choices?: unknown; usage?: unknown };
    return !(Array.isArray(choices) && choices.length === 0 && typeof usage === 'object' && usage !== null);
  }

  private heed(text: string): unknown {
    try {
      const value: unknown = JSON.parse(text);
      this.tokens = readTokens(this.request.route.form, value, this.tokens);
      return value;
    } catch {
      // Not JSON, or cut: it is the agent's to make something of; its tokens are estimated.
      return undefined;
    }
  }
}

/** Where the first event of a text ends, behind its empty line; 0: not yet. */
function endOfEvent(text: Buffer): number {
  for (let at = text.indexOf(10); at >= 0; at = text.indexOf(10, at + 1)) {
    if (text[at + 1] === 10) return at + 2;
    if (text[at + 1] === 13 && text[at + 2] === 10) return at + 3;
  }
  return 0;
}
