import type { Plan } from '@switchyard/protocol';

/** Lock files and the commands that install from them, strictest form each. */
const installers: readonly (readonly [string, string])[] = [
  ['package-lock.json', 'npm ci --no-audit --no-fund'],
  ['npm-shrinkwrap.json', 'npm ci --no-audit --no-fund'],
  ['pnpm-lock.yaml', 'pnpm install --frozen-lockfile'],
  ['yarn.lock', 'yarn install --frozen-lockfile'],
];

/** The plan with its set-up: its own, or the one that the lock file at the root of the base asks for. */
export function withSetup(plan: Plan, rootFiles: ReadonlySet<string>): Plan {
  if (plan.setup !== undefined) return plan;
  const found = installers.find(([file]) => rootFiles.has(file));
  return found === undefined ? plan : { ...plan, setup: { run: [found[1]], network: ['registry'] } };
}
