import { requestMost, type Tokens } from './cost.ts';
import type { Route } from './forms.ts';

/** A request as it goes to the provider, and what it may come to. */
export interface PreparedRequest {
  readonly route: Route;
  readonly body: Buffer;
  readonly model: string;
  readonly isStream: boolean;
  /** The agent did not ask for the chunk that tells the tokens of a chat's stream: it is kept from it. */
  readonly dropsUsage: boolean;
  /** The most that it may use, as far as can be said before it is answered. */
  readonly most: Tokens;
  /** What it takes of a quota of tokens until its answer says better. */
  readonly tokens: number;
}

/** Where a request names no limit of its answer. */
const answerTokens = { most: 8192, expected: 4096 } as const;
/** Bytes of a request's JSON a token: few for what must be enough, more for what is likely. */
const bytesAToken = { least: 3, likely: 4 } as const;

type Fields = Record<string, unknown>;

/** Reads the body of a request; undefined: it is no JSON object, and no provider would take it. */
export function prepareRequest(route: Route, body: Buffer): PreparedRequest | undefined {
  if (route.form === 'plain')
    return {
      route,
      body,
      model: 'none',
      isStream: false,
      dropsUsage: false,
      tokens: 0,
      most: { input: 0, cached: 0, cacheWrite: 0, output: 0 },
    };
  const fields = objectIn(body);
  if (fields === undefined) return undefined;
  const isStream = route.isStream ?? fields['stream'] === true;
  const model = route.model ?? (typeof fields['model'] === 'string' ? fields['model'] : '');
  const dropsUsage = route.form === 'chat' && isStream && !asksForUsage(fields);
  const output = answerLimit(fields);
  return {
    route,
    body: dropsUsage ? withUsage(fields) : body,
    model: model.slice(0, 200) || 'unnamed',
    isStream,
    dropsUsage,
    most: {
      input: Math.ceil(body.length / bytesAToken.least),
      cached: 0,
      cacheWrite: 0,
      output: output ?? answerTokens.most,
    },
    tokens: estimateTokens(body.length) + Math.min(output ?? answerTokens.expected, answerTokens.expected),
  };
}

/** About how many tokens so many bytes are. */
export function estimateTokens(bytes: number): number {
  return Math.ceil(bytes / bytesAToken.likely);
}

function objectIn(body: Buffer): Fields | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Fields)
      : undefined;
  } catch {
    // What an agent sends may be anything; it is answered with 400.
    return undefined;
  }
}

function asksForUsage(fields: Fields): boolean {
  const options = fields['stream_options'];
  return typeof options === 'object' && options !== null && (options as Fields)['include_usage'] === true;
}

/** A chat tells the tokens of a stream only where it is asked to. */
function withUsage(fields: Fields): Buffer {
  const options = { ...(fields['stream_options'] as object | undefined), include_usage: true };
  return Buffer.from(JSON.stringify({ ...fields, stream_options: options }));
}

function answerLimit(fields: Fields): number | undefined {
  const config = fields['generationConfig'] as Fields | undefined;
  const said = [
    fields['max_tokens'],
    fields['max_completion_tokens'],
    fields['max_output_tokens'],
    config?.['maxOutputTokens'],
  ].find((value) => typeof value === 'number' && value > 0);
  return typeof said === 'number' ? Math.min(requestMost.tokens, Math.ceil(said)) : undefined;
}
