import { AppError } from '@switchyard/protocol';
import { createMetrics, silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import { MemoryRepository } from '@switchyard/testkit';
import type { Orchestrator } from '../../apps/orchestrator/src/daemon.ts';

export type Ports = ConstructorParameters<typeof Orchestrator>[0];

/** Reports that nobody reads. */
export const noReports: Ports['reports'] = {
  write: () => Promise.resolve({ markdown: '', html: '', json: '' }),
  find: () => undefined,
  drop: () => Promise.resolve(),
  writeCase: () => Promise.resolve(),
  transcriptOf: () => undefined,
};

/** What every orchestrator of a bench has: no git, no verification, no workers but those that the bench starts. */
export function benchPorts(own: Pick<Ports, 'journal' | 'fatal' | 'stop'> & Partial<Ports>): Ports {
  const missing = (what: string) => (): never => {
    throw new AppError('E_INTERNAL', `the bench has no ${what}`);
  };
  return {
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger(),
    metrics: createMetrics(),
    repository: new MemoryRepository(),
    verifier: { verify: missing('verification') },
    instances: {
      want: () => undefined,
      arrived: () => false,
      leaving: () => undefined,
      isLocal: () => false,
      stalled: () => undefined,
      hindrance: () => 'the bench starts its own workers',
      starting: () => [],
      terminate: () => false,
      cleanup: () => Promise.resolve(),
    },
    reports: noReports,
    logs: {
      open: () => Promise.resolve({ lines: [], close: () => undefined }),
      receive: () => undefined,
    },
    door: { url: '', invite: missing('door'), revoke: missing('door') },
    settings: benchSettings,
    ...own,
  };
}

export const benchSettings: Ports['settings'] = {
  leaseGraceMs: 30_000,
  deadShownMs: 3_600_000,
  heartbeatIntervalMs: 2_000,
  ephemeral: false,
  version: '0.1.0',
  hubName: 'bench',
  sandbox: 'none',
};
