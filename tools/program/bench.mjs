// `npm run bench`: runs test/bench/main.ts compiled, as the installed programs run; a loader that compiles at run time
// would wrap every function it meets, and the bench would measure that.
import { readdirSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { compiledCopy } from './compile.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = 'test/bench';
const entries = readdirSync(join(root, folder))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => `${folder}/${name}`);

const copy = await compiledCopy(entries);
if (copy === undefined)
  throw new Error(`the bench cannot be compiled: ${root}/node_modules cannot be written`);
const [node, , ...rest] = process.argv;
process.argv = [node, join(root, folder, 'main.ts'), ...rest];
await import(pathToFileURL(join(copy, folder, 'main.mjs')).href);
