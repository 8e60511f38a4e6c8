import type { AppError } from '@switchyard/protocol';
import type { Clock, Logger, Random } from '@switchyard/runtime';
import type { Dial } from './channel.ts';
import { HeartbeatLane, type LaneGreeting } from './heartbeat-lane.ts';

/**
 * Heartbeats on a lane of their own, beside those that the main loop sends on the control lane: sent from where the
 * peer's work cannot hold them up, so that a peer whose main loop stands still is known to live.
 */
export interface Heartbeats {
  /** The hub has welcomed the peer, first or again. */
  begin(greeting: LaneGreeting): void;
  /** The main loop turns. */
  sign(): void;
  /** The link is down; nothing happens if it was. */
  end(): void;
  /** Nothing begins any more. */
  close(): Promise<void>;
}

export interface OwnHeartbeatsOptions {
  readonly dial: Dial;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Heartbeats of the given clock's own loop: for a simulation, whose clock stands for a thread's. */
export function heartbeatsOn(options: OwnHeartbeatsOptions): Heartbeats {
  let lane: HeartbeatLane | undefined;
  let turns = 0;
  const end = (): Promise<void> => {
    const ended = lane?.stop() ?? Promise.resolve();
    lane = undefined;
    return ended;
  };
  return {
    begin(greeting) {
      void end();
      lane = new HeartbeatLane({
        ...options,
        ...greeting,
        turns: () => turns,
        onRefused: (error) => tellRefused(options.logger, error),
      });
      lane.start();
    },
    sign: () => void (turns += 1),
    end: () => void end(),
    close: end,
  };
}

/** An older hub has no such lane, and goes by the heartbeats of the control lane. */
export function tellRefused(logger: Logger, { code, message }: Pick<AppError, 'code' | 'message'>): void {
  logger.info(
    { code, reason: message },
    'the hub takes no heartbeat lane; heartbeats come from the main loop',
  );
}
