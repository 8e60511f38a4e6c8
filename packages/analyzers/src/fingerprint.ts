import { createHash } from 'node:crypto';
import type { Finding } from '@switchyard/protocol';
import { readSource } from './source-file.ts';

/**
 * A name for each finding that stays while lines above it come and go: what fired, in which file, on what text, and
 * the how-manieth of those that are alike. Findings without a line go by what they say.
 */
export async function fingerprintsOf(
  root: string,
  findings: readonly Finding[],
): Promise<Map<Finding, string>> {
  const files = new Map<string, readonly string[]>();
  const seen = new Map<string, number>();
  const named = new Map<Finding, string>();
  for (const finding of [...findings].sort((a, b) => (a.line ?? 0) - (b.line ?? 0))) {
    const { rule = '', file = '', line, description } = finding;
    if (line !== undefined && !files.has(file)) files.set(file, await linesOf(root, file));
    const text = line === undefined ? description : (files.get(file)?.[line - 1] ?? description).trim();
    const key = JSON.stringify([rule, file, text.replace(/\s+/g, ' ')]);
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    named.set(finding, createHash('sha256').update(`${key}#${count}`).digest('hex').slice(0, 32));
  }
  return named;
}

async function linesOf(root: string, file: string): Promise<readonly string[]> {
  const source = await readSource(root, file);
  return source.kind === 'text' ? source.text.split(/\r?\n/) : [];
}
