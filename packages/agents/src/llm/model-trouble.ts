import { APICallError } from '@ai-sdk/provider';
import { messageOf, type FailureClass } from '@switchyard/protocol';

/** What went wrong with a request to the model, and what comes next. */
export type ModelTrouble =
  /** Again, after what the server asks for, or else after a pause of ours. */
  | {
      readonly kind: 'retry';
      readonly class: 'io' | 'throttled';
      readonly message: string;
      readonly afterMs?: number;
    }
  /** The request is too long for the model. */
  | { readonly kind: 'too-long'; readonly message: string }
  | {
      readonly kind: 'stop';
      readonly class: FailureClass;
      readonly message: string;
      readonly retryAfterMs?: number;
    };

/** A stream that ended, or fell silent, before its answer was complete. */
export class CutStream extends Error {
  override readonly name = 'CutStream';
}

/** Judges anything that a request threw, or that came as an error in a stream. Cancellations are not for here. */
export function troubleOf(thrown: unknown): ModelTrouble {
  if (thrown instanceof CutStream) return { kind: 'retry', class: 'io', message: thrown.message };
  if (!APICallError.isInstance(thrown)) return troubleInStream(thrown);
  const { statusCode: status, responseHeaders = {}, responseBody = '' } = thrown;
  const message = `the model endpoint answered ${status ?? 'nothing'}: ${firstWords(thrown.message)}`;
  // An answer that began well and broke in its middle has the status of its beginning.
  if (status === undefined || status < 300) return { kind: 'retry', class: 'io', message };
  const afterMs = retryAfterMs(responseHeaders);
  const waits = afterMs === undefined ? {} : { afterMs };
  if (status === 429 || status === 529) {
    if (/insufficient_quota|billing|credit balance/i.test(responseBody))
      return {
        kind: 'stop',
        class: 'exhausted',
        message,
        ...(afterMs !== undefined && { retryAfterMs: afterMs }),
      };
    return { kind: 'retry', class: 'throttled', message, ...waits };
  }
  if (status === 402) return { kind: 'stop', class: 'exhausted', message };
  if (status === 408 || status === 409 || status >= 500)
    return { kind: 'retry', class: 'io', message, ...waits };
  if (status === 401 || status === 403) return { kind: 'stop', class: 'fatal', message };
  if (status === 413 || isTooLong(`${thrown.message} ${responseBody}`)) return { kind: 'too-long', message };
  // What the server does not take as it is, it will not take again.
  return { kind: 'stop', class: 'logic', message };
}

/** Errors of the network, and errors that a server tells in the middle of its stream. */
function troubleInStream(thrown: unknown): ModelTrouble {
  const words = typeof thrown === 'object' && thrown !== null ? JSON.stringify(thrown) : '';
  const message = `the model endpoint broke off: ${firstWords(thrown instanceof Error ? messageOf(thrown) : words || String(thrown))}`;
  if (/rate_limit|overloaded/i.test(message)) return { kind: 'retry', class: 'throttled', message };
  if (isTooLong(message)) return { kind: 'too-long', message };
  return { kind: 'retry', class: 'io', message };
}

function isTooLong(text: string): boolean {
  return /prompt is too long|context[ _]length|maximum context|context window|too many tokens/i.test(text);
}

/** Seconds, or a date. Source: RFC 9110, 10.2.3; `retry-after-ms` is OpenAI's. */
export function retryAfterMs(
  headers: Readonly<Record<string, string>>,
  now: number = Date.now(),
): number | undefined {
  const exact = Number(headers['retry-after-ms']);
  if (headers['retry-after-ms'] !== undefined && exact >= 0) return Math.ceil(exact);
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (seconds >= 0) return Math.ceil(seconds * 1000);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function firstWords(text: string): string {
  return text.trim().slice(0, 500) || 'no words';
}
