import { shellWord } from '@switchyard/protocol';
import type { RepositoryFiles } from './project.ts';

/** How the scripts of packages are run in a repository. */
export interface PackageManager {
  /** A script of the root. */
  root(script: string): string;
  /** A script of a package in a folder. */
  at(folder: string, script: string): string;
}

const managers: Readonly<Record<string, PackageManager>> = {
  'pnpm-lock.yaml': {
    root: (script) => `pnpm run ${script}`,
    at: (folder, script) => `pnpm --dir ${shellWord(folder)} run ${script}`,
  },
  'yarn.lock': {
    root: (script) => `yarn run ${script}`,
    at: (folder, script) => `yarn --cwd ${shellWord(folder)} run ${script}`,
  },
  'bun.lock': {
    root: (script) => `bun run ${script}`,
    at: (folder, script) => `bun run --cwd ${shellWord(folder)} ${script}`,
  },
};

const npm: PackageManager = {
  root: (script) => `npm run ${script}`,
  at: (folder, script) => `npm run ${script} --prefix ${shellWord(folder)}`,
};

/** The package manager whose lock lies at the root; npm without one. */
export function packageManagerOf({ paths }: RepositoryFiles): PackageManager {
  const lock = Object.keys(managers).find((name) => paths.includes(name));
  return lock === undefined ? npm : (managers[lock] ?? npm);
}

/** Scripts that prove something, in the order in which they are worth running. */
const checking = ['typecheck', 'lint', 'test', 'build'] as const;

/** Those of these scripts that check something; the one that `npm init` writes does not. */
export function checkScripts(scripts: Readonly<Record<string, string>> | undefined): string[] {
  return checking.filter((name) => {
    const script = scripts?.[name];
    return script !== undefined && script.trim() !== '' && !script.includes('no test specified');
  });
}
