import type { Lane } from '@switchyard/protocol';

/**
 * One bidirectional pipe of byte messages. WebSockets and in-memory pairs both are one, so that the logic of hub
 * and link runs without sockets.
 */
export interface Channel {
  /** Hands a frame over; after the end it does nothing. */
  send(frame: Uint8Array): void;
  /** Bytes handed over that have not left yet. */
  readonly bufferedBytes: number;
  /** Ends it, once what was handed over has left; 1006 cuts it at once. Closing twice is fine. */
  close(code: number, reason: string): void;
  /** Sets the one receiver of frames. */
  onFrame(handler: (frame: Uint8Array) => void): void;
  /** Sets the one receiver of the end, whichever side ended it; called once, never from within `close`. */
  onClose(handler: (code: number, reason: string) => void): void;
  /** Stops and resumes reading where the pipe can; a reader that must wait queues otherwise. */
  pause?(): void;
  resume?(): void;
  /** The other side's address, for the log. */
  readonly remote?: string;
}

/** Opens a channel of one lane. Rejects with AppError E_UNREACHABLE, E_TOKEN, E_FINGERPRINT or E_VERSION. */
export type Dial = (lane: Lane) => Promise<Channel>;
