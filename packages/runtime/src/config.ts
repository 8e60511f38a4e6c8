import { readFileSync } from 'node:fs';
import { AppError } from '@switchyard/protocol';
import { ZodDefault, ZodType, type z } from 'zod';

/** Where a value came from, strongest first: flag, environment, file; else the schema's default. */
export interface ConfigSources {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A JSON file; absent or missing is fine. */
  readonly file?: string | undefined;
}

/**
 * The configuration door: reads each key of the schema from its flag, else `SWITCHYARD_<KEY>`, else the file, else
 * the default; checks all at once; freezes. Throws AppError E_CONFIG that names every wrong value and its source.
 */
export function loadConfig<T extends z.ZodObject>(schema: T, sources: ConfigSources): Readonly<z.output<T>> {
  const fromFile = readConfigFile(sources.file);
  const values: Record<string, unknown> = {};
  const origin: Record<string, string> = {};
  for (const key of Object.keys(schema.shape)) {
    const name = `SWITCHYARD_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
    const candidates: readonly (readonly [string, unknown])[] = [
      [`--${kebab(key)}`, sources.flags[key]],
      [name, sources.env[name]],
      [`"${key}" in ${sources.file ?? 'the file'}`, fromFile[key]],
    ];
    const found = candidates.find(([, value]) => value !== undefined && value !== '');
    if (found === undefined) continue;
    [origin[key], values[key]] = found;
  }
  const parsed = schema.safeParse(values);
  if (!parsed.success) throw configError(parsed.error, origin);
  return Object.freeze(parsed.data);
}

function configError(error: z.ZodError, origin: Readonly<Record<string, string>>): AppError {
  const lines = error.issues.map((issue) => {
    const key = String(issue.path[0] ?? '');
    return `${origin[key] ?? key}: ${issue.message}`;
  });
  return new AppError('E_CONFIG', lines.join('\n'));
}

function readConfigFile(file: string | undefined): Record<string, unknown> {
  if (file === undefined) return {};
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new AppError('E_CONFIG', `${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (cause) {
    throw new AppError('E_CONFIG', `${file} is no JSON: ${(cause as Error).message}`, { cause });
  }
  throw new AppError('E_CONFIG', `${file} must hold a JSON object`);
}

/**
 * Reads `--kebab-case value` flags for the keys of a schema. Throws AppError E_USAGE for a flag that no key has.
 * A boolean key needs no value.
 */
export function readFlags(argv: readonly string[], schema: z.ZodObject): Record<string, string> {
  const names = new Map(Object.keys(schema.shape).map((key) => [kebab(key), key]));
  const flags: Record<string, string> = {};
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    const [name = '', inline] = word.startsWith('--') ? splitOnce(word.slice(2)) : [];
    const key = names.get(name);
    if (key === undefined) {
      const known = [...names.keys()].map((known) => `--${known}`).join(', ');
      throw new AppError('E_USAGE', `${JSON.stringify(word)} is no flag; there are: ${known}`);
    }
    const next = argv[index + 1];
    const takesNext = inline === undefined && next !== undefined && !next.startsWith('--');
    flags[key] = inline ?? (takesNext ? next : 'true');
    if (takesNext) index += 1;
  }
  return flags;
}

/** Whether a command line asks for help rather than for work. */
export function asksForHelp(argv: readonly string[]): boolean {
  return argv.includes('--help') || argv.includes('-h');
}

/** The help of a program whose flags are the keys of a schema: each with its description and default. */
export function flagsHelp(usage: string, schema: z.ZodObject): string {
  const rows = Object.entries(schema.shape).map(([key, value]) => [`--${kebab(key)}`, describedKey(value)]);
  const width = Math.max(...rows.map(([flag = '']) => flag.length));
  const lines = rows.map(([flag = '', text = '']) => `  ${flag.padEnd(width)}  ${text}`.trimEnd());
  const words =
    'Each may stand in the environment instead, for example SWITCHYARD_LOG_LEVEL; but SWITCHYARD_STATE is the folder\n' +
    'that holds the state folders of all repositories.';
  return `Usage: ${usage}\n\nFlags:\n${lines.join('\n')}\n\n${words}\n`;
}

/** Only defaults that are worth a word are shown: a list or an off switch says nothing. */
function describedKey(value: z.core.$ZodType): string {
  const { description = '' } = value instanceof ZodType ? value : {};
  const fallback: unknown = value instanceof ZodDefault ? value.def.defaultValue : undefined;
  const isTold = typeof fallback === 'number' || (typeof fallback === 'string' && fallback !== '');
  return isTold ? `${description} (default: ${fallback})` : description;
}

function splitOnce(text: string): [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
