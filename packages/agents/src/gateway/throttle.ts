import type { IncomingHttpHeaders } from 'node:http';

/** What a provider says that it cannot do now. */
export interface Refused {
  readonly kind: 'throttled' | 'exhausted';
  readonly retryAfterMs: number | undefined;
  /** For people. */
  readonly reason: string;
}

/** A wait longer than this is no matter of the rate: something is used up. */
const exhaustedFromMs = 15 * 60_000;
/** Words of providers for credit or a plan that is used up (`insufficient_quota`, "credit balance is too low"). */
const usedUp =
  /insufficient_quota|billing_hard_limit|credit balance is too low|exceeded your current quota|usage limit/i;

/**
 * Whether an answer says to come again later, and when: 429, 529 (Anthropic: overloaded), 503 with a time, and answers
 * that say that credit is used up, whatever their status. `text`: its body.
 */
export function readRefusal(
  status: number,
  headers: IncomingHttpHeaders,
  { text, now }: { readonly text: string; readonly now: number },
): Refused | undefined {
  const retryAfterMs = retryAfter(headers, now);
  const isUsedUp =
    (status === 429 || status === 400 || status === 402 || status === 403) && usedUp.test(text);
  const isThrottled = status === 429 || status === 529 || (status === 503 && retryAfterMs !== undefined);
  if (!isUsedUp && !isThrottled) return undefined;
  const isLong = retryAfterMs !== undefined && retryAfterMs >= exhaustedFromMs;
  const said = messageIn(text);
  return {
    kind: isUsedUp || isLong ? 'exhausted' : 'throttled',
    retryAfterMs,
    reason: `${status}${said === '' ? '' : `: ${said}`}`,
  };
}

/** No quota lasts longer: a time beyond it is a mistake, and nobody waits for that. */
const retryAfterMaxMs = 31 * 24 * 60 * 60_000;

function retryAfter(headers: IncomingHttpHeaders, now: number): number | undefined {
  const said = saidRetryAfter(headers, now);
  return said === undefined || said > retryAfterMaxMs ? undefined : said;
}

/** Milliseconds until the provider wants to be asked again: `retry-after-ms`, or `retry-after` as seconds or a date. */
function saidRetryAfter(headers: IncomingHttpHeaders, now: number): number | undefined {
  const exact = String(headers['retry-after-ms'] ?? '').trim();
  if (exact !== '' && Number.isFinite(Number(exact))) return Math.max(0, Number(exact));
  const said = headers['retry-after'];
  if (said === undefined || said.trim() === '') return undefined;
  const seconds = Number(said);
  if (Number.isFinite(seconds)) return Math.max(0, Math.ceil(seconds * 1000));
  const date = Date.parse(said);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function messageIn(text: string): string {
  const found = /"message"\s*:\s*"((?:[^"\\]|\\.){1,300})/.exec(text)?.[1] ?? '';
  return found.replace(/\\n/g, ' ').slice(0, 200);
}
