import { readFileSync } from 'node:fs';
import { AppError, messageOf, providerNames, type ProviderName } from '@switchyard/protocol';
import { z } from 'zod';
import { price, type Price } from './prices.ts';

const count = z.number().int().min(1);

/** What a provider lets the whole fleet do. */
export const providerQuota = z.strictObject({
  /** Requests in any minute. */
  rpm: count.optional(),
  /** Tokens in any minute: read (without cached ones) and written. */
  tokensPerMinute: count.optional(),
  /** Requests under way at once. */
  concurrent: count.optional(),
});
export type ProviderQuota = z.infer<typeof providerQuota>;

const provider = z.strictObject({
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  /** The variable of the daemon's environment that holds the key. */
  keyEnv: z.string().min(1).max(200).optional(),
  /** A file that holds the key, for its owner alone. */
  keyFile: z.string().min(1).max(4096).optional(),
  quota: providerQuota.default({}),
});

/** The models file: providers with their keys and quotas, the budget of a day, and prices. */
const modelsFile = z.strictObject({
  providers: z.partialRecord(z.enum(providerNames), provider).default({}),
  /** Money that all runs together may spend in a day (UTC), in dollars. */
  budgetUsdPerDay: z.number().min(0).optional(),
  /** Prices that differ from the list's, by the beginning of a model's name. */
  prices: z.record(z.string().min(1).max(200), price).default({}),
});
export type ModelsFile = z.infer<typeof modelsFile>;

/** Where models are asked for. */
export interface Provider {
  readonly name: ProviderName;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** The key; a function, so that no log of this object shows it. Undefined: the provider needs none. */
  readonly key: () => string | undefined;
}

/** Where each provider is and which variables name it and its key, unless the file says otherwise. */
const usual: Readonly<Record<ProviderName, { url: string; urlEnv: string; keyEnvs: readonly string[] }>> = {
  anthropic: {
    url: 'https://api.anthropic.com',
    urlEnv: 'ANTHROPIC_BASE_URL',
    keyEnvs: ['ANTHROPIC_API_KEY'],
  },
  openai: { url: 'https://api.openai.com/v1', urlEnv: 'OPENAI_BASE_URL', keyEnvs: ['OPENAI_API_KEY'] },
  gemini: {
    url: 'https://generativelanguage.googleapis.com',
    urlEnv: 'GOOGLE_GEMINI_BASE_URL',
    keyEnvs: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  },
};

/** Reads the models file; no file is an empty one. Throws AppError E_CONFIG, which never shows a value. */
export function readModelsFile(file: string | undefined): ModelsFile {
  if (file === undefined) return modelsFile.parse({});
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    // The parser's own words may show what stands there, which may be a key.
    const why = cause instanceof SyntaxError ? 'it is no JSON' : messageOf(cause);
    throw new AppError('E_CONFIG', `the models file ${file} cannot be read: ${why}`);
  }
  const parsed = modelsFile.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`);
  throw new AppError('E_CONFIG', `the models file ${file} is wrong: ${lines.join('; ')}`);
}

/** The providers that can be asked: those that the file names, and those whose usual variables are set. */
export function providersOf(
  { providers }: Pick<ModelsFile, 'providers'>,
  env: Readonly<Record<string, string | undefined>>,
): Provider[] {
  return providerNames.flatMap((name) => {
    const { url, urlEnv, keyEnvs } = usual[name];
    const said = providers[name];
    const key = said?.keyFile === undefined ? keyIn(env, said?.keyEnv, keyEnvs) : keyFrom(said.keyFile);
    const baseUrl = said?.baseUrl ?? (env[urlEnv] || undefined);
    const isThere = key !== undefined || baseUrl !== undefined;
    return isThere ? [{ name, baseUrl: (baseUrl ?? url).replace(/\/+$/, ''), key: () => key }] : [];
  });
}

/** The values that no log and no transcript may hold. */
export function keysOf(providers: readonly Provider[]): string[] {
  return providers.flatMap(({ key }) => key() ?? []);
}

function keyIn(
  env: Readonly<Record<string, string | undefined>>,
  named: string | undefined,
  usualNames: readonly string[],
): string | undefined {
  if (named === undefined) return usualNames.map((name) => env[name]).find(Boolean);
  const key = env[named];
  if (!key) throw new AppError('E_CONFIG', `the models file names the variable ${named}, which is not set`);
  return key;
}

function keyFrom(file: string): string {
  try {
    const key = readFileSync(file, 'utf8').trim();
    if (key !== '') return key;
  } catch (cause) {
    throw new AppError('E_CONFIG', `the key file ${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
  throw new AppError('E_CONFIG', `the key file ${file} is empty`);
}

export type { Price };
