import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { specialization, specializations, type Specialization } from '@switchyard/protocol';
import { parse } from 'yaml';
import { z } from 'zod';

const text = z
  .string()
  .nullable()
  .transform((value) => value?.replaceAll('~~', '') ?? '');
const pair = z.strictObject({
  id: z.string(),
  specialization: specialization.optional(),
  cwe: z.string().optional(),
  path: z.string().default('src/thing.ts'),
  /** The file before the change; absent: it is new. */
  before: text.optional(),
  /** Other files of the tree. */
  with: z.record(z.string(), text).default({}),
  /** Nothing: the flaw is an empty file. */
  flawed: text,
  good: text,
});

/** A known flaw and its good twin. */
export interface LabelledPair extends Omit<z.infer<typeof pair>, 'specialization'> {
  readonly specialization: Specialization;
}

const folder = fileURLToPath(new URL('../../packages/analyzers/test/fixtures/pairs/', import.meta.url));

/** The labelled pairs of the analyzers, all of them. */
export function labelledPairs(): LabelledPair[] {
  return readdirSync(folder).flatMap((file) => {
    const pairs = z.array(pair).parse(parse(readFileSync(join(folder, file), 'utf8')));
    const named = specializations.find((name) => file.startsWith(name));
    return pairs.map((one) => ({ ...one, specialization: one.specialization ?? named ?? 'code-quality' }));
  });
}
