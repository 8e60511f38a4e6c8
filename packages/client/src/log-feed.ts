import {
  AppError,
  isAppError,
  type Envelope,
  type LogFilter,
  type MessageId,
  type PayloadOf,
} from '@switchyard/protocol';
import type { ClientLink } from './client-link.ts';

/** One line of a daemon's log. */
export type LogLine = PayloadOf<'log-line'>;

export interface LogOptions {
  /** How many earlier lines come first; 100 by default. */
  readonly tail?: number;
  /** Goes on with new lines until closed; true by default. */
  readonly follow?: boolean;
  /** The bulk lane dropped so many messages. */
  readonly onGap?: (dropped: number) => void;
}

export interface LogFeed {
  /** Stops it. */
  close(): void;
}

/** What log feed to open: which lines, and what takes them. */
export interface LogRequest {
  readonly filter: LogFilter;
  readonly onLine: (line: LogLine) => void;
  readonly options: LogOptions;
}

/** Opens a feed of log lines; after a reconnect it goes on with new ones. Throws AppError. */
export async function openLogFeed(link: ClientLink, request: LogRequest): Promise<LogFeed> {
  const feed = new OpenLogFeed(link, request);
  await feed.open();
  return feed;
}

class OpenLogFeed implements LogFeed {
  private readonly link: ClientLink;
  private readonly request: LogRequest;
  private readonly releases: (() => void)[] = [];
  /** The request that the lines belong to; lines before its answer wait. */
  private subscription: MessageId | undefined;
  private early: Envelope[] = [];

  constructor(link: ClientLink, request: LogRequest) {
    this.link = link;
    this.request = request;
  }

  async open(): Promise<void> {
    const { tail = 100, follow = true } = this.request.options;
    if (follow) this.releases.push(this.link.onMessage((envelope) => this.take(envelope)));
    try {
      await this.subscribe(tail, follow);
    } catch (thrown) {
      this.close();
      throw thrown;
    }
    const release = follow ? this.link.onConnected?.(() => void this.resume()) : undefined;
    if (release !== undefined) this.releases.push(release);
  }

  close(): void {
    for (const release of this.releases.splice(0)) release();
    this.early = [];
  }

  private async subscribe(tail: number, follow: boolean): Promise<void> {
    const { filter, onLine } = this.request;
    this.subscription = undefined;
    const answer = await this.link.request('logs-get', { filter, tail, follow });
    if (answer.type !== 'logs-got')
      throw new AppError('E_PROTOCOL', `logs-get was answered by ${answer.type}`);
    for (const line of answer.payload.lines) onLine(line);
    this.subscription = answer.replyTo;
    for (const envelope of this.early.splice(0)) this.take(envelope);
  }

  private async resume(): Promise<void> {
    try {
      await this.subscribe(0, true);
    } catch (thrown) {
      // Lost again: the next connection resumes it.
      if (!isAppError(thrown)) throw thrown;
    }
  }

  private take(envelope: Envelope): void {
    if (envelope.type === 'gap') this.request.options.onGap?.(envelope.payload.dropped);
    if (envelope.type !== 'log-line') return;
    if (this.subscription === undefined) this.early.push(envelope);
    else if (envelope.replyTo === undefined || envelope.replyTo === this.subscription)
      this.request.onLine(envelope.payload);
  }
}
