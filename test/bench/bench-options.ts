import { parseArgs } from 'node:util';
import type { BenchSize } from './bench-size.ts';

/** `--race-tries` for `raceTries`. */
const flagOf = (field: string): string => field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** What stands behind the name of an entry. */
export const benchUsage = (full: BenchSize): string =>
  [
    'usage: npm run bench -- NAME [--only WORDS] [--SIZE NUMBER]...',
    '--only takes the parts of an entry whose name has the words (guard-races). The sizes, as they are without a flag:',
    ...Object.entries(full).map(([field, value]) => `  --${flagOf(field)} ${String(value)}`),
  ].join('\n');

/**
 * The words of the command line: the entry's name, none where help is asked for, and how much it does. Throws for a flag or
 * number that is none.
 */
export function parseBench(
  args: readonly string[],
  full: BenchSize,
): { readonly name: string | undefined; readonly size: BenchSize } {
  const fields = Object.keys(full);
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      only: { type: 'string' },
      ...Object.fromEntries(fields.map((field) => [flagOf(field), { type: 'string' as const }])),
    },
  });
  const asked: Readonly<Record<string, unknown>> = values;
  const numbers = fields
    .filter((field) => asked[flagOf(field)] !== undefined)
    .map((field) => [field, numberOf(flagOf(field), String(asked[flagOf(field)]))] as const);
  const only = values['only'];
  return {
    name: values['help'] === true ? undefined : positionals[0],
    size: { ...full, ...Object.fromEntries(numbers), ...(typeof only === 'string' ? { only } : {}) },
  };
}

function numberOf(flag: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new Error(`--${flag} wants a whole number from 1 on, not "${text}"`);
}
