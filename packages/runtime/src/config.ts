import { readFileSync } from 'node:fs';
import { AppError } from '@switchyard/protocol';
import { z } from 'zod';

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
      [`--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, sources.flags[key]],
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
