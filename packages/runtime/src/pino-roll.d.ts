declare module 'pino-roll' {
  interface RollOptions {
    readonly file: string;
    readonly size?: string;
    readonly limit?: { readonly count: number; readonly removeOtherLogFiles?: boolean };
    readonly symlink?: boolean;
    readonly mkdir?: boolean;
  }
  interface RollStream {
    write(line: string): void;
    flushSync(): void;
    end(): void;
    once(event: 'close', listener: () => void): void;
  }
  export default function build(options: RollOptions): Promise<RollStream>;
}
