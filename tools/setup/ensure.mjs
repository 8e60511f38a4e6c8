// Sets up what is missing on a fresh clone: checks Node and git, installs dependencies and, where it may,
// bubblewrap. Plain Node, since it runs before there are dependencies. Says one line for each thing it does.
//   node tools/setup/ensure.mjs [--no-sandbox]
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureDependencies } from './dependencies.mjs';
import { requireGit, requireNode, requireSandbox } from './requirements.mjs';
import { endWith } from './setup-error.mjs';

/** The folder of this checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

const say = (line) => process.stderr.write(`${line}\n`);

/** Sets up what is missing. Throws a SetupError (exit code 4) that says how to mend what it cannot. */
export function ensure({ sandbox = true } = {}) {
  requireNode();
  requireGit();
  // Before what takes minutes: whoever lacks it learns so at once.
  if (sandbox) requireSandbox(say);
  ensureDependencies(root, say);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await endWith(() => {
    ensure({ sandbox: !process.argv.includes('--no-sandbox') });
    return 0;
  });
