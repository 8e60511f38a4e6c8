import type { PermitWire } from '@switchyard/agents';
import { systemClock } from '@switchyard/runtime';
import type { WorkerModels } from '../src/models.ts';

/** An orchestrator that lets everything through at once. */
export function generousPermits(models: WorkerModels): PermitWire {
  return {
    ask({ sentAt, wants }) {
      const now = systemClock.monotonic();
      const permits = wants.map(({ id }) => ({ id, notBefore: now, expires: now + 60_000 }));
      queueMicrotask(() =>
        models.talk.granted({ now, echo: { sentAt, receivedAt: now }, permits, refused: [] }),
      );
      return true;
    },
    report: () => true,
  };
}
