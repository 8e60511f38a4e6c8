import { pathToFileURL } from 'node:url';
import { benchUsage, parseBench } from './bench-options.ts';
import { fullSize, type BenchSize } from './bench-size.ts';
import { compareLoops } from './compare-loops.ts';
import { compareReview } from './compare-review.ts';
import { compareSandboxStart } from './compare-sandbox-start.ts';
import { compareTransitions } from './compare-transitions.ts';
import { measureAgentsQuota } from './measure-agents-quota.ts';
import { measureGuardAudit } from './guard-audit.ts';
import { compareGuardOpen } from './guard-open.ts';
import { measureGatewayQuota } from './measure-gateway-quota.ts';
import { reportGuardRaces } from './guard-races.ts';
import { measureMemory } from './measure-memory.ts';
import { measureRecovery } from './measure-recovery.ts';
import { reportGuardFuzz } from './report-guard-fuzz.ts';

/** The entries of `npm run bench -- NAME`; each answers the lines of its table. */
export const entries: Readonly<Record<string, (size: BenchSize) => Promise<readonly string[]>>> = {
  'agents-quota': measureAgentsQuota,
  'gateway-quota': measureGatewayQuota,
  'guard-audit': measureGuardAudit,
  'guard-fuzz': reportGuardFuzz,
  'guard-open': compareGuardOpen,
  'guard-races': reportGuardRaces,
  loop: compareLoops,
  memory: measureMemory,
  recovery: measureRecovery,
  review: compareReview,
  'sandbox-start': compareSandboxStart,
  transitions: compareTransitions,
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { name, size } = parseBench(process.argv.slice(2), fullSize);
  const entry = name === undefined ? undefined : entries[name];
  const lines =
    entry === undefined
      ? [benchUsage(fullSize), 'The names:', ...Object.keys(entries).map((known) => `  ${known}`)]
      : await entry(size);
  process.stdout.write(`${lines.join('\n')}\n`);
  if (name !== undefined && entry === undefined) process.exitCode = 2;
}
