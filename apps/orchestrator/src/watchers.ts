import { isAppError, type MessageId, type PeerId, type RunEvent } from '@switchyard/protocol';
import type { OrchestratorPorts, Send } from './ports.ts';
import type { RunKeeper } from './run-keeper.ts';

/** Messages that may wait for a client before its events are held back. */
const waitingMax = 500;
/** How soon to look again whether a client has caught up. */
const catchUpMs = 20;

/** A run that a client follows. */
interface Watch {
  readonly keeper: RunKeeper;
  /** The last event that was sent. */
  seq: number;
}

/** One client: what it follows, until it leaves. */
interface Follower {
  readonly watches: Map<string, Watch>;
  readonly feeds: (() => void)[];
  cancelCatchUp?: (() => void) | undefined;
}

interface WatcherContext {
  readonly ports: OrchestratorPorts;
  readonly send: Send;
  /** Messages that wait for a peer; undefined: it is not connected. */
  readonly waiting: (peer: PeerId) => number | undefined;
}

/**
 * Clients that follow runs and logs. Events go out in order and without gaps, each once, and no faster than their
 * client takes them: a long history does not fill its queue, and a slow client lags instead of being dropped.
 */
export class ClientWatchers {
  private readonly followers = new Map<PeerId, Follower>();
  private readonly context: WatcherContext;

  constructor(context: WatcherContext) {
    this.context = context;
  }

  /** A client is there. */
  arrived(peer: PeerId): void {
    this.left(peer);
    this.followers.set(peer, { watches: new Map(), feeds: [] });
  }

  /**
   * Sends what the run's watchers do not have, from after `seq` on, and whatever comes. A client may follow a run more
   * than once: none of its handles misses what another does not ask for.
   */
  watch(peer: PeerId, keeper: RunKeeper, seq: number): void {
    const follower = this.followers.get(peer);
    if (follower === undefined) return;
    const sent = follower.watches.get(keeper.run)?.seq ?? Infinity;
    follower.watches.set(keeper.run, { keeper, seq: Math.min(seq, sent, keeper.publishedEvents) });
    this.send(peer, follower);
  }

  /** A feed of log lines that ends when the client leaves; at once, if it has left already. */
  feed(peer: PeerId, stop: () => void): void {
    const follower = this.followers.get(peer);
    if (follower === undefined) stop();
    else follower.feeds.push(stop);
  }

  /** One line for a feed. */
  line(peer: PeerId, replyTo: MessageId, { daemon, line }: { daemon: string; line: string }): void {
    this.context.send(peer, 'log-line', { daemon, line }, { replyTo });
  }

  /** The run has events that the journal has. */
  published({ run }: RunKeeper): void {
    for (const [peer, follower] of this.followers) if (follower.watches.has(run)) this.send(peer, follower);
  }

  left(peer: PeerId): void {
    const follower = this.followers.get(peer);
    if (follower === undefined) return;
    this.followers.delete(peer);
    follower.cancelCatchUp?.();
    for (const stop of follower.feeds) stop();
  }

  /** Ends all feeds. */
  close(): void {
    for (const peer of [...this.followers.keys()]) this.left(peer);
  }

  private send(peer: PeerId, follower: Follower): void {
    if (follower.cancelCatchUp !== undefined) return;
    for (const watch of follower.watches.values()) {
      while (watch.seq < watch.keeper.publishedEvents) {
        if ((this.context.waiting(peer) ?? 0) >= waitingMax) {
          this.catchUpLater(peer, follower);
          return;
        }
        const event = watch.keeper.events.at(watch.seq);
        watch.seq += 1;
        if (event !== undefined) this.sendOne(peer, event);
      }
    }
  }

  private sendOne(peer: PeerId, event: RunEvent): void {
    try {
      this.context.send(peer, 'run-event', event);
    } catch (error) {
      if (!isAppError(error)) throw error;
      const { run, seq } = event;
      this.context.ports.logger.error({ run, seq, err: error }, 'an event cannot be told to its watchers');
    }
  }

  private catchUpLater(peer: PeerId, follower: Follower): void {
    follower.cancelCatchUp = this.context.ports.clock.after(catchUpMs, () => {
      follower.cancelCatchUp = undefined;
      this.send(peer, follower);
    });
  }
}
