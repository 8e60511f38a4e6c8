import type { PlacedFinding } from '../engine.ts';
import { analyzerLimits } from '../analyzer-limits.ts';
import { isOfKind, languageOf } from '../path-kind.ts';
import type { ChangeCheck } from './change-check.ts';
import type { ChangeView } from './change-view.ts';

/** Functions and classes that the change offers or alters, and whose names no test of the tree says. */
export const untestedExports: ChangeCheck = {
  specializations: ['testing'],
  async find(view) {
    const words = await wordsOfTests(view);
    // Without any test in the tree each function would be told; that there are none is told once, elsewhere.
    if (words === undefined) return [];
    const found: PlacedFinding[] = [];
    for (const { path } of view.present) {
      if (languageOf(path) === undefined || isOfKind(path, 'tests') || isOfKind(path, 'scripts')) continue;
      if (/\.d\.[cm]?ts$|\.config\.[cm]?[jt]s$|\.stories\.[jt]sx?$/.test(path)) continue;
      for (const { name, kind, line, endLine } of (await view.factsAfter(path)).exports) {
        if ((kind !== 'function' && kind !== 'class') || name === 'default' || words.has(name)) continue;
        found.push({
          severity: 'minor',
          category: 'testing',
          file: path,
          line,
          endLine,
          description: `No test names ${name}.`,
          suggestion: 'Add a test that says what it does, and what it does with bad input.',
          references: [],
          rule: 'change/export-untested',
        });
      }
    }
    return found;
  },
};

async function wordsOfTests(view: ChangeView): Promise<ReadonlySet<string> | undefined> {
  const files = await view.testFiles();
  if (files.length === 0) return undefined;
  const words = new Set<string>();
  let bytes = 0;
  for (const file of files) {
    const text = (await view.after(file)) ?? '';
    bytes += text.length;
    for (const [word] of text.matchAll(/[\w$]+/g)) words.add(word);
    if (bytes > analyzerLimits.testTextBytes) break;
  }
  return words;
}
