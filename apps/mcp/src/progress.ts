import type { ServerContext } from '@modelcontextprotocol/server';

/** Tells a client that a call is still going on. */
export interface Progress {
  tell(message: string): void;
  close(): void;
}

/** A call that says nothing for so long is cut off by some clients. */
const keepAliveMs = 15_000;

/** Progress of one call; silent where the client asked for none. A client that has gone is not told, and nothing breaks. */
export function openProgress({ mcpReq }: ServerContext): Progress {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return { tell: () => undefined, close: () => undefined };
  let progress = 0;
  let last = 'waiting';
  const tell = (message: string): void => {
    last = message;
    progress += 1;
    const params = { progressToken, progress, message };
    // What cannot be delivered is known by the call itself, which is cancelled.
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  };
  const timer = setInterval(() => tell(last), keepAliveMs);
  return { tell, close: () => clearInterval(timer) };
}
