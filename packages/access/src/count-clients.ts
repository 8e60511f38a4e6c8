import { z } from 'zod';

const ready = z.object({ clients: z.number().int() });
const patienceMs = 2_000;

/** How many clients and observers are connected to an orchestrator, by its address; undefined: it does not say. */
export async function countClients(httpUrl: string): Promise<number | undefined> {
  try {
    const answer = await fetch(`${httpUrl}/readyz`, { signal: AbortSignal.timeout(patienceMs) });
    return ready.parse(await answer.json()).clients;
  } catch {
    // It is going, or has gone.
    return undefined;
  }
}
