import type { ProviderName } from '@switchyard/protocol';
import { noTokens, requestMost, type ToldTokens } from './cost.ts';

/** How a request speaks; `plain`: it asks for no answer of a model (a list of models, a count of tokens). */
export type Form = 'anthropic' | 'chat' | 'responses' | 'gemini' | 'plain';

/** A request that the gateway passes on. */
export interface Route {
  readonly provider: ProviderName;
  /** Behind the provider's base URL, with its query. */
  readonly path: string;
  readonly form: Form;
  /** Where the path names it. */
  readonly model?: string;
  /** Where the path says so. */
  readonly isStream?: boolean;
}

interface Rule {
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  readonly form: Form;
}

/** What agents need and no more: a batch or a file of a provider's would be spending that nobody counts. */
const rules: Readonly<Record<ProviderName, readonly Rule[]>> = {
  anthropic: [
    { method: 'POST', path: /^\/v1\/messages$/, form: 'anthropic' },
    { method: 'POST', path: /^\/v1\/messages\/count_tokens$/, form: 'plain' },
    { method: 'GET', path: /^\/v1\/models(?:\/[\w.:-]+)?$/, form: 'plain' },
  ],
  openai: [
    { method: 'POST', path: /^\/chat\/completions$/, form: 'chat' },
    { method: 'POST', path: /^\/responses$/, form: 'responses' },
    { method: 'GET', path: /^\/models(?:\/[\w.:/-]+)?$/, form: 'plain' },
  ],
  gemini: [
    {
      method: 'POST',
      path: /^\/v1(?:beta|alpha)?\/models\/(?<model>[\w.:/-]+):(?<verb>generateContent|streamGenerateContent)$/,
      form: 'gemini',
    },
    { method: 'POST', path: /^\/v1(?:beta|alpha)?\/models\/[\w.:/-]+:countTokens$/, form: 'plain' },
    { method: 'GET', path: /^\/v1(?:beta|alpha)?\/models(?:\/[\w.:-]+)?$/, form: 'plain' },
  ],
};

/** Where each provider's requests begin behind the gateway's own address. */
export const prefixes: Readonly<Record<ProviderName, string>> = {
  anthropic: '/anthropic',
  openai: '/openai/v1',
  gemini: '/gemini',
};

/** Reads method and target of a request; undefined: the gateway does not pass it on. */
export function routeOf(method: string, target: string): Route | undefined {
  if (!URL.canParse(target, 'http://gateway')) return undefined;
  const { pathname, searchParams } = new URL(target, 'http://gateway');
  searchParams.delete('key');
  const query = searchParams.toString();
  for (const provider of Object.keys(prefixes) as ProviderName[]) {
    if (!pathname.startsWith(`${prefixes[provider]}/`)) continue;
    const rest = pathname.slice(prefixes[provider].length);
    for (const rule of rules[provider]) {
      const found = rule.method === method ? rule.path.exec(rest) : null;
      if (found === null) continue;
      const { model, verb } = found.groups ?? {};
      return {
        provider,
        path: query === '' ? rest : `${rest}?${query}`,
        form: rule.form,
        ...(model !== undefined && { model }),
        ...(verb !== undefined && { isStream: verb === 'streamGenerateContent' }),
      };
    }
  }
  return undefined;
}

/** The header that carries a provider's key. */
export function keyHeader(provider: ProviderName, key: string): Record<string, string> {
  switch (provider) {
    case 'anthropic':
      return { 'x-api-key': key };
    case 'openai':
      return { authorization: `Bearer ${key}` };
    case 'gemini':
      return { 'x-goog-api-key': key };
  }
}

/** What an answer of the gateway's own says, as the provider would. */
export function errorBody(provider: ProviderName, status: number, message: string): string {
  switch (provider) {
    case 'anthropic':
      return JSON.stringify({ type: 'error', error: { type: 'api_error', message } });
    case 'openai':
      return JSON.stringify({ error: { message, type: 'gateway_error', param: null, code: null } });
    case 'gemini':
      return JSON.stringify({ error: { code: status, message, status: 'UNAVAILABLE' } });
  }
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
}

/** A count that can be one; anything else is as if it had not been said. */
function numberOf(fields: Fields | undefined, name: string): number | undefined {
  const value = fields?.[name];
  return typeof value === 'number' && value >= 0
    ? Math.min(requestMost.tokens, Math.round(value))
    : undefined;
}

/**
 * What an answer, or one event of a stream, says of the tokens so far; `before` is what earlier events said. Field
 * names: Anthropic Messages `usage`, OpenAI chat `usage`, OpenAI responses `response.usage`, Gemini `usageMetadata`.
 */
export function readTokens(
  form: Form,
  value: unknown,
  before: ToldTokens | undefined,
): ToldTokens | undefined {
  const fields = fieldsOf(value);
  switch (form) {
    case 'anthropic': {
      const begun = fieldsOf(fieldsOf(fields?.['message'])?.['usage']);
      // The beginning of a stream has what was read; what it calls written is not what will be.
      if (begun !== undefined) return { ...anthropicTokens(begun), output: undefined };
      const usage = fieldsOf(fields?.['usage']);
      return usage === undefined ? before : { ...before, ...anthropicTokens(usage) };
    }
    case 'chat':
      return openaiTokens(fieldsOf(fields?.['usage']), 'prompt_tokens', 'completion_tokens') ?? before;
    case 'responses': {
      const usage = fieldsOf(fields?.['usage']) ?? fieldsOf(fieldsOf(fields?.['response'])?.['usage']);
      return openaiTokens(usage, 'input_tokens', 'output_tokens') ?? before;
    }
    case 'gemini':
      return geminiTokens(value) ?? before;
    case 'plain':
      return noTokens;
  }
}

function anthropicTokens(usage: Fields): ToldTokens {
  return said({
    input: numberOf(usage, 'input_tokens'),
    cached: numberOf(usage, 'cache_read_input_tokens'),
    cacheWrite: numberOf(usage, 'cache_creation_input_tokens'),
    output: numberOf(usage, 'output_tokens'),
  });
}

/** Without what was not said, so that it takes nothing from what was said before. */
function said(tokens: ToldTokens): ToldTokens {
  return Object.fromEntries(Object.entries(tokens).filter(([, count]) => count !== undefined));
}

/** Cached tokens are among those that were read. */
function openaiTokens(usage: Fields | undefined, read: string, written: string): ToldTokens | undefined {
  if (usage === undefined) return undefined;
  const cached = numberOf(fieldsOf(usage[`${read}_details`]), 'cached_tokens');
  return { ...readBy(numberOf(usage, read), cached), output: numberOf(usage, written) };
}

/** Of all that was read, what the cache had. */
function readBy(all: number | undefined, cached = 0): ToldTokens {
  if (all === undefined) return {};
  return { input: all - Math.min(all, cached), cached: Math.min(all, cached) };
}

/** A stream that is no event stream is one list of chunks; the last says it all. What is 0 is not written. */
function geminiTokens(value: unknown): ToldTokens | undefined {
  const last: unknown = Array.isArray(value)
    ? value.findLast((chunk) => fieldsOf(chunk)?.['usageMetadata'] !== undefined)
    : value;
  const usage = fieldsOf(fieldsOf(last)?.['usageMetadata']);
  const prompt = numberOf(usage, 'promptTokenCount');
  if (usage === undefined || prompt === undefined) return undefined;
  const all = prompt + (numberOf(usage, 'toolUsePromptTokenCount') ?? 0);
  const output =
    (numberOf(usage, 'candidatesTokenCount') ?? 0) + (numberOf(usage, 'thoughtsTokenCount') ?? 0);
  return { ...readBy(all, numberOf(usage, 'cachedContentTokenCount')), output };
}
