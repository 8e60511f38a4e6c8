import type { ServerResponse } from 'node:http';
import type { Clock } from '@switchyard/runtime';
import { errorBody } from './forms.ts';
import type { PreparedRequest } from './request-body.ts';
import { answerHeaders, type Headers } from './upstream.ts';

/** How long a request is held in silence, and then between two signs of life. Programs give up after minutes. */
const quietMs = { first: 20_000, next: 15_000 } as const;

/**
 * The agent's side of a request. While it is held, the agent is shown that somebody is there: the head of a good answer
 * and then what its form does not count, which is comments in event streams and blanks before JSON.
 */
export class HeldAnswer {
  private readonly response: ServerResponse;
  private readonly request: PreparedRequest;
  private readonly clock: Clock;
  private cancel: () => void;

  constructor(response: ServerResponse, request: PreparedRequest, clock: Clock) {
    this.response = response;
    this.request = request;
    this.clock = clock;
    this.cancel = clock.after(quietMs.first, () => this.showLife());
  }

  /** No more signs of life: the answer comes. */
  stop(): void {
    this.cancel();
    this.cancel = () => undefined;
  }

  /** Begins the answer; false: what has begun cannot go on so. */
  begin(status: number, headers: Headers): boolean {
    this.stop();
    if (!this.response.headersSent) {
      this.response.writeHead(status, answerHeaders(headers));
      return true;
    }
    return String(headers['content-type'] ?? '').includes('text/event-stream') === this.isEvents;
  }

  /** Ends the request with what went wrong, in the provider's words or ours. */
  fail(status: number, body: string, headers: Headers = { 'content-type': 'application/json' }): void {
    this.stop();
    if (this.response.destroyed) return;
    if (!this.response.headersSent) {
      this.response.writeHead(status, answerHeaders(headers));
      this.response.end(body);
    } else if (this.isEvents) {
      const name = this.request.route.form === 'anthropic' ? 'event: error\n' : '';
      this.response.end(`${name}data: ${body.replaceAll(/\s*\n\s*/g, ' ')}\n\n`);
    } else {
      // It looks like a good answer by now; only an end without one says that it is none.
      this.response.destroy();
    }
  }

  /** The same with a text of the gateway's own. */
  refuse(status: number, message: string): void {
    this.fail(status, errorBody(this.request.route.provider, status, message));
  }

  private get isEvents(): boolean {
    const { isStream, route } = this.request;
    return isStream && (route.form !== 'gemini' || /[?&]alt=sse(?:&|$)/.test(route.path));
  }

  private showLife(): void {
    const { response, isEvents } = this;
    if (response.destroyed || response.writableEnded) return;
    if (!response.headersSent)
      response.writeHead(200, { 'content-type': isEvents ? 'text/event-stream' : 'application/json' });
    response.write(isEvents ? ': held by the gateway\n\n' : '\n');
    this.cancel = this.clock.after(quietMs.next, () => this.showLife());
  }
}
