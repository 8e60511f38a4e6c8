import { Lang, parse } from '@ast-grep/napi';
import { languageOf } from '../path-kind.ts';
import { readExports } from './export-facts.ts';
import { noFacts, type FileFacts } from './file-facts.ts';
import { readFunctions } from './function-facts.ts';
import { readImports } from './import-facts.ts';
import { readTests } from './test-facts.ts';

/** Reads the facts of one source text; none of a text in another language. */
export function readFacts(source: { readonly path: string; readonly text: string }): FileFacts {
  const language = languageOf(source.path);
  if (language === undefined) return noFacts;
  const root = parse(Lang[language], source.text).root();
  return {
    tests: readTests(root),
    exports: readExports(root),
    imports: readImports(root),
    functions: readFunctions(root),
  };
}
