import type { LogFilter, MessageId, PeerId, RunEvent, RunId } from '@switchyard/protocol';
import type { LogSource, Send } from './ports.ts';
import type { Watchers } from './submit.ts';

/** Clients that follow runs and logs, until they leave. */
export class ClientWatchers implements Watchers {
  private readonly runs = new Map<PeerId, Set<RunId>>();
  private readonly logs = new Map<PeerId, (() => void)[]>();
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

  follow(request: { readonly from: PeerId; readonly id: MessageId }, filter: LogFilter): void {
    const { from, id } = request;
    const stop = this.source.follow(filter, (daemon, line) =>
      this.send(from, 'log-line', { daemon, line }, { replyTo: id }),
    );
    this.logs.set(from, [...(this.logs.get(from) ?? []), stop]);
  }

  publish(event: RunEvent): void {
    for (const [peer, runs] of this.runs) if (runs.has(event.run)) this.send(peer, 'run-event', event);
  }

  left(peer: PeerId): void {
    this.runs.delete(peer);
    for (const stop of this.logs.get(peer) ?? []) stop();
    this.logs.delete(peer);
  }
}
