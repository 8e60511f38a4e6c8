import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { agentTools } from './agent-tools.ts';
import { guardChanges } from './guard-changes.ts';
import { guardFinds } from './guard-finds.ts';
import { guardNames } from './guard-names.ts';
import { guardParts } from './guard-parts.ts';
import { guardPaths } from './guard-paths.ts';
import { guardReady } from './guard-ready.ts';
import { guardResolver } from './guard-resolver.ts';
import { guardSandbox } from './guard-sandbox.ts';
import type { Mutant } from './mutant.ts';
import { proof } from './proof.ts';
import { runMutants } from './run-mutants.ts';

/** The lists of `npm run mutants -- NAME`. */
export const lists: Readonly<Record<string, readonly Mutant[]>> = {
  guard: [...guardPaths, ...guardSandbox, ...guardReady, ...guardParts],
  'guard-paths': guardPaths,
  'guard-paths-names': guardNames,
  'guard-paths-resolver': guardResolver,
  'guard-paths-changes': guardChanges,
  'guard-paths-finds': guardFinds,
  'guard-sandbox': guardSandbox,
  'guard-ready': guardReady,
  'guard-parts': guardParts,
  'agent-tools': agentTools,
  proof,
};

const usage = `usage: npm run mutants -- NAME [--only WORDS]...
Switches the defences of a list off, one at a time; for each, at least one of its tests must fail.
--only takes those whose name has the words. The lists: ${Object.keys(lists).join(', ')}
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { only: { type: 'string', multiple: true, default: [] } },
  });
  const list = lists[positionals[0] ?? ''];
  const wanted = list?.filter(
    ({ name }) => values.only.length === 0 || values.only.some((words) => name.includes(words)),
  );
  if (wanted === undefined || wanted.length === 0) {
    process.stdout.write(usage);
    return 2;
  }
  const verdicts = await runMutants(wanted, ({ mutant, fate, by }) =>
    process.stdout.write(`${fate.padEnd(8)}  ${mutant.name}${by === '' ? '' : `  (${by})`}\n`),
  );
  const killed = verdicts.filter(({ fate }) => fate === 'killed').length;
  process.stdout.write(`${killed} killed, ${verdicts.length - killed} not\n`);
  return killed === verdicts.length ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exit(await main());
