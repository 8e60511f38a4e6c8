import { lockedWorkspaces, missingOptionals, type Lock } from '../setup/lock-entries.mjs';
import { manifests } from './manifest.ts';
import type { Problem, Rule, Tree } from './tree.ts';

const topLevel = new Set([
  ...['package.json', 'package-lock.json', 'nx.json', 'tsconfig.base.json', 'README.md', 'LICENSE'],
  ...['packages', 'apps', 'tools', 'test'],
]);

/** The top level holds what DESIGN.md section 3 lists, and dotfiles. */
export const topLevelNames: Rule = (tree) =>
  [...new Set([...tree.keys()].map((path) => path.split('/', 1).join('')))]
    .filter((name) => !name.startsWith('.') && !topLevel.has(name))
    .map((name) => ({ path: name, line: 1, text: 'does not belong at the top level' }));

/** Every project has the nx targets that it has something for, and no others. */
export const targets: Rule = (tree) =>
  manifests(tree).flatMap(({ folder, targets: has }) => {
    const files = [...tree.keys()].filter((path) => path.startsWith(`${folder}/`));
    const wanted = {
      test: files.some((path) => path.endsWith('.test.ts')),
      typecheck: files.some((path) => path.startsWith(`${folder}/src/`)),
      serve: tree.has(`${folder}/src/daemon.ts`) && tree.has(`${folder}/src/main.ts`),
    };
    const path = `${folder}/package.json`;
    return Object.entries(wanted).flatMap(([name, isWanted]) => {
      if (isWanted === has.has(name)) return [];
      return [
        { path, line: 1, text: isWanted ? `lacks the target ${name}` : `has nothing for its target ${name}` },
      ];
    });
  });

/** The lock serves a fresh clone anywhere: every workspace, every platform, no address of a registry. */
export const lockFile: Rule = (tree) => {
  const path = 'package-lock.json';
  const text = tree.get(path) ?? '{"packages":{}}';
  const lock = JSON.parse(text) as Lock;
  const locked = new Map(lockedWorkspaces(lock).map((each) => [each.path, each]));
  const present = new Set(manifests(tree).map(({ folder }) => folder));
  const problems: string[] = [];
  for (const folder of present)
    if (locked.get(folder)?.linked !== true) problems.push(`does not know ${folder}; run npm install`);
  for (const folder of locked.keys())
    if (!present.has(folder)) problems.push(`knows ${folder}, which is gone`);
  for (const { path: missing } of missingOptionals(lock))
    problems.push(`lacks ${missing}; run node tools/setup/complete-lock.mjs`);
  if (/"resolved": "https?:/.test(text)) problems.push('names the address of a registry');
  return problems.map((each) => ({ path, line: 1, text: each }));
};

/** No file names a place of the machine it was written on: its checkout, its home folder. */
export function machinePaths(places: readonly string[]): Rule {
  const telling = places.filter((place) => place.split('/').length > 2 && place.length > 6);
  return (tree: Tree): Problem[] =>
    [...tree].flatMap(([path, text]) =>
      text.split('\n').flatMap((line, index) => {
        const found = telling.find((place) => line.includes(place));
        return found === undefined ? [] : [{ path, line: index + 1, text: `names this machine's ${found}` }];
      }),
    );
}
