declare module 'pino-roll' {
  import type { EventEmitter } from 'node:events';

  interface RollOptions {
    readonly file: string;
    readonly size?: string;
    readonly limit?: { readonly count: number; readonly removeOtherLogFiles?: boolean };
    readonly symlink?: boolean;
    readonly mkdir?: boolean;
  }
  /**
   * sonic-boom's stream. Says `ready` when a file is open, `write` with the bytes that a write has written, `drain` when
   * nothing is left to write, `close`, and `error`; after an error it keeps what it did not write for its next write.
   */
  interface RollStream extends EventEmitter {
    /** What it writes to: the old file, until a new one is open. */
    readonly fd: number;
    /** The file that is open, or the one that it is about to open. */
    readonly file: string;
    /** It is closed, or about to be. */
    readonly destroyed: boolean;
    write(text: string): void;
    end(): void;
    destroy(): void;
  }
  export default function build(options: RollOptions): Promise<RollStream>;
}
