import { AppError, type MessageType, type PayloadInput, type PayloadOf } from '@switchyard/protocol';
import type { ClientLink } from './client-link.ts';

/** A request, its payload and the type of its answer. */
export interface Question<T extends MessageType, A extends MessageType> {
  readonly type: T;
  readonly payload: PayloadInput<T>;
  readonly answer: A;
  readonly timeoutMs?: number;
}

/** Sends a request and takes its answer apart. Throws AppError E_PROTOCOL when another type answers. */
export async function ask<T extends MessageType, A extends MessageType>(
  link: ClientLink,
  { type, payload, answer, timeoutMs }: Question<T, A>,
): Promise<PayloadOf<A>> {
  const envelope = await link.request(type, payload, timeoutMs === undefined ? {} : { timeoutMs });
  if (envelope.type !== answer)
    throw new AppError('E_PROTOCOL', `${type} was answered by ${envelope.type}, not by ${answer}`);
  return envelope.payload as PayloadOf<A>;
}
