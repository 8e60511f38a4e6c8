import type { LogFilter, PeerId, RunEvent, RunId } from '@switchyard/protocol';
import type { LogSource, Send } from './ports.ts';
import type { Watchers } from './submit.ts';

/** Clients that follow runs and logs, until they leave. */
export class ClientWatchers implements Watchers {
  private readonly runs = new Map<PeerId, Set<RunId>>();
  private readonly logs = new Map<PeerId, () => void>();
  private readonly source: LogSource;
  private readonly send: Send;

  constructor(source: LogSource, send: Send) {
    this.source = source;
    this.send = send;
  }

  add(peer: PeerId, run: RunId): void {
    const watched = this.runs.get(peer) ?? new Set();
    watched.add(run);
    this.runs.set(peer, watched);
  }

  follow(peer: PeerId, filter: LogFilter): void {
    this.logs.get(peer)?.();
    this.logs.set(
      peer,
      this.source.follow(filter, (daemon, line) => this.send(peer, 'log-line', { daemon, line })),
    );
  }

  publish(event: RunEvent): void {
    for (const [peer, runs] of this.runs) if (runs.has(event.run)) this.send(peer, 'run-event', event);
  }

  left(peer: PeerId): void {
    this.runs.delete(peer);
    this.logs.get(peer)?.();
    this.logs.delete(peer);
  }
}
