import type { PeerId } from '@switchyard/protocol';

/** The most that fits into one `log-line`. */
const lineCharactersMax = 16_384;
/** pino's number of `info`. */
const infoLevel = 30;

/** A daemon that can send its log to the hub. */
export interface LogSender {
  relayLog(daemon: string, line: string): void;
}

/** Tells the orchestrator of another machine what this daemon logs, from `info` up. */
export function logRelay(peer: PeerId): {
  tap: (line: string) => void;
  connect: (daemon: LogSender) => void;
} {
  let daemon: LogSender | undefined;
  let isRelaying = false;
  return {
    connect: (found) => (daemon = found),
    tap(line) {
      const level = Number(/"level":(\d+)/.exec(line)?.[1] ?? 0);
      // What the sending itself logs is not sent: that would never end.
      if (daemon === undefined || isRelaying || level < infoLevel || line.length > lineCharactersMax) return;
      isRelaying = true;
      try {
        daemon.relayLog(peer, line.trimEnd());
      } catch {
        // The line is in the file; the lane to the orchestrator is closed or full.
      } finally {
        isRelaying = false;
      }
    },
  };
}
