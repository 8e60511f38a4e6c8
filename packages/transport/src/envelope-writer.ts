import {
  AppError,
  encodeEnvelope,
  encodePayload,
  limits,
  messageId,
  registry,
  type Fence,
  type Lane,
  type MessageId,
  type MessageType,
  type PayloadInput,
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
  return lane === 'control' ? limits.controlFrameBytes : limits.bulkFrameBytes;
}

/** Writes one sender's envelopes: fresh ids, the time, and only payloads that their receiver will take. */
export class EnvelopeWriter {
  private readonly self: PeerId;
  private readonly clock: Clock;
  private readonly prefix: string;
  private count = 0;

  constructor(self: PeerId, clock: Clock, random: Random) {
    this.self = self;
    this.clock = clock;
    this.prefix = random.token(12);
  }

  /** Throws AppError E_PROTOCOL for a payload that does not fit its schema or its lane: the receiver would drop us. */
  write<T extends MessageType>(
    type: T,
    to: string,
    payload: PayloadInput<T>,
    extra: SendExtra = {},
  ): WrittenEnvelope {
    const spec = registry[type];
    const checked = spec.payload.safeParse(payload);
    if (!checked.success)
      throw new AppError('E_PROTOCOL', `the payload of ${type} does not fit its schema`, {
        cause: checked.error,
      });
    this.count += 1;
    const id = messageId.parse(`${this.prefix}-${this.count.toString(36)}`);
    const bytes = encodeEnvelope({
      id,
      type,
      from: this.self,
      to: to as PeerId,
      at: Math.round(this.clock.now()),
      ...(extra.fence === undefined ? {} : { fence: extra.fence }),
      ...(extra.replyTo === undefined ? {} : { replyTo: extra.replyTo }),
      payload: encodePayload(checked.data),
    });
    if (bytes.length > frameLimit(spec.lane))
      throw new AppError(
        'E_PROTOCOL',
        `a ${type} of ${bytes.length} bytes is over the ${frameLimit(spec.lane)} of its lane`,
      );
    return { id, lane: spec.lane, bytes };
  }
}
