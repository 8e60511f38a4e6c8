import {
  AppError,
  encodeEnvelope,
  encodePayload,
  limits,
  messageId,
  parsePayload,
  registry,
  type Fence,
  type Lane,
  type MessageId,
  type MessageType,
  type PayloadInput,
  type PayloadOf,
  type PeerId,
} from '@switchyard/protocol';
import type { Clock, Random } from '@switchyard/runtime';

/** What an envelope may carry besides its payload. */
export interface SendExtra {
  readonly fence?: Fence | undefined;
  readonly replyTo?: MessageId | undefined;
}

export interface WrittenEnvelope {
  readonly id: MessageId;
  readonly lane: Lane;
  readonly bytes: Uint8Array;
}

/** The bytes one WebSocket message of a lane may have. */
export function frameLimit(lane: Lane): number {
  return frameLimits[lane];
}

const frameLimits: Readonly<Record<Lane, number>> = {
  control: limits.controlFrameBytes,
  bulk: limits.bulkFrameBytes,
  heartbeat: limits.heartbeatFrameBytes,
};

/** Writes one sender's envelopes: fresh ids, the time, and only payloads that their receiver will take. */
export class EnvelopeWriter {
  private readonly self: PeerId;
  private readonly clock: Clock;
  private readonly prefix: string;
  private count = 0;

  constructor(self: PeerId, clock: Clock, random: Random) {
    this.self = self;
    this.clock = clock;
    // What is parsed here is of the form that every id has which begins with it.
    this.prefix = messageId.parse(random.token(12));
  }

  /** Throws AppError E_PROTOCOL for a payload that does not fit its schema or its lane: the receiver would drop us. */
  write<T extends MessageType>(
    type: T,
    to: string,
    payload: PayloadInput<T>,
    extra: SendExtra = {},
  ): WrittenEnvelope {
    const spec = registry[type];
    const checked = checkedPayload(type, payload);
    this.count += 1;
    const id = `${this.prefix}-${this.count.toString(36)}` as MessageId;
    const bytes = encodeEnvelope({
      id,
      type,
      from: this.self,
      to: to as PeerId,
      at: Math.round(this.clock.now()),
      ...(extra.fence === undefined ? {} : { fence: extra.fence }),
      ...(extra.replyTo === undefined ? {} : { replyTo: extra.replyTo }),
      payload: encodePayload(checked),
    });
    if (bytes.length > frameLimit(spec.lane))
      throw new AppError(
        'E_PROTOCOL',
        `a ${type} of ${bytes.length} bytes is over the ${frameLimit(spec.lane)} of its lane`,
      );
    return { id, lane: spec.lane, bytes };
  }
}

function checkedPayload<T extends MessageType>(type: T, payload: PayloadInput<T>): PayloadOf<T> {
  try {
    return parsePayload(type, payload);
  } catch (cause) {
    throw new AppError('E_PROTOCOL', `the payload of ${type} does not fit its schema`, { cause });
  }
}
