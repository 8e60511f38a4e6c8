import { expect, it } from 'vitest';
import { runFleetUnderQuota } from './fleet-under-quota.ts';
import { installAgents } from './installed-agents.ts';

const agents = await installAgents();
const skipped = agents.kind === 'unreachable' ? ` (skipped: ${agents.reason})` : '';

it.skipIf(agents.kind === 'unreachable')(
  `real agent programs share the quota of their run, and none fails${skipped}`,
  async () => {
    const folder = agents.kind === 'installed' ? agents.folder : '';
    const size = { programs: 2, workers: 1, files: 2, rpm: 60 };
    const { requests, fullest, failed, filesRight, wallMs, servedMs } = await runFleetUnderQuota({
      agents: folder,
      ...size,
    });
    expect({ failed, filesRight }).toEqual({ failed: [], filesRight: 4 });
    expect(requests).toBeGreaterThanOrEqual(6);
    expect(fullest).toBeLessThanOrEqual(60);
    expect(wallMs).toBeGreaterThan(servedMs);
  },
);
