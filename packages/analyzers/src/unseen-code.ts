import type { AnalysisRequest, PlacedFinding } from './engine.ts';
import { languageOf } from './path-kind.ts';
import { readSource } from './source-file.ts';

/**
 * Code that no engine looks at, since it is over the size limit or no text. It blocks in a security review of a change:
 * else one could pass by being written so that nobody can look at it.
 */
export async function unseenCode({
  root,
  files,
  specializations,
  all,
  signal,
}: Pick<AnalysisRequest, 'root' | 'files' | 'specializations' | 'all' | 'signal'>): Promise<PlacedFinding[]> {
  if (!specializations.includes('security')) return [];
  const found: PlacedFinding[] = [];
  for (const { path, change } of files) {
    if (change === 'deleted' || languageOf(path) === undefined) continue;
    signal.throwIfAborted();
    const source = await readSource(root, path);
    if (source.kind !== 'too-large' && source.kind !== 'binary') continue;
    const why =
      source.kind === 'binary' ? 'has a NUL byte and counts as binary' : `has ${source.bytes} bytes`;
    found.push({
      severity: all === true ? 'minor' : 'major',
      category: 'security',
      file: path,
      description: `Nobody has looked at this code: the file ${why}.`,
      suggestion: 'Split it, or have a person look at it and let it stand by the policy of reviews.',
      references: [],
      rule: 'analyzers/unseen-code',
    });
  }
  return found;
}
