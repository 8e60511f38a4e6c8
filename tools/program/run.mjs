// Runs one of our programs in this process, compiled if that can be, else through tsx:
//   node tools/program/run.mjs apps/worker/src/main.ts [arguments]
import { fileURLToPath, pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { compiledCopy } from './compile.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Imports an entry such as `apps/cli/src/main.ts`. */
export async function runProgram(entry) {
  const copy = await compiledCopy();
  if (copy !== undefined) return import(pathToFileURL(join(copy, entry.replace(/\.ts$/, '.mjs'))).href);
  // Of the folder it is called in, tsx would read a tsconfig.json that is none of ours.
  const tsconfig = join(root, 'tsconfig.base.json');
  process.env.TSX_TSCONFIG_PATH ??= tsconfig;
  const { register } = await import('tsx/esm/api');
  register({ tsconfig });
  return import(pathToFileURL(join(root, entry)).href);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [node = process.execPath, , entry = '', ...rest] = process.argv;
  process.argv = [node, join(root, entry), ...rest];
  await runProgram(entry);
}
