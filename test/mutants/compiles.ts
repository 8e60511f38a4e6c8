/** Whether a changed source is still a program: one that is not would fail every test, which proves nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { mutate, type Mutant } from './mutant.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** What a defence that is gone leaves behind: names, imports and lines that nobody needs any more. */
const left = new Set([6133, 6192, 6196, 6198, 7027]);

/** Answers, for one mutant after the other, what the compiler says of it; undefined when it is fine. */
export function openCompiler(): (mutant: Mutant) => string | undefined {
  const changed = new Map<string, { readonly version: number; readonly text: string }>();
  const roots = new Set<string>();
  let version = 0;
  const service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => [...roots],
    getScriptVersion: (file) => String(changed.get(file)?.version ?? 0),
    getScriptSnapshot(file) {
      const text = changed.get(file)?.text ?? ts.sys.readFile(file);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: (settings) => ts.getDefaultLibFilePath(settings),
    fileExists: (file) => ts.sys.fileExists(file),
    readFile: (file) => ts.sys.readFile(file),
    directoryExists: (folder) => ts.sys.directoryExists(folder),
    getDirectories: (folder) => ts.sys.getDirectories(folder),
    realpath: (file) => ts.sys.realpath?.(file) ?? file,
  });
  return (mutant) => {
    const file = join(root, mutant.file);
    roots.add(file);
    const whole = readFileSync(file, 'utf8');
    version += 1;
    changed.set(file, { version, text: mutate(whole, mutant) });
    const found = [...service.getSyntacticDiagnostics(file), ...service.getSemanticDiagnostics(file)];
    changed.set(file, { version: (version += 1), text: whole });
    const first = found.find(({ code }) => !left.has(code));
    return first && ts.flattenDiagnosticMessageText(first.messageText, ' ');
  };
}

const config = join(root, 'tools/ts/node.json');
const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(config, (file) => ts.sys.readFile(file)).config,
  ts.sys,
  join(root, 'tools/ts'),
);
