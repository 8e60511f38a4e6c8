import pc from 'picocolors';
import type { Environment } from '@switchyard/access';
import { exitCodes } from '@switchyard/protocol';

/** Colours that do nothing where colour is not wanted. */
export type Painter = ReturnType<typeof pc.createColors>;

/** Where a command writes, and what the place can show. */
export interface Terminal {
  /** Results. */
  out(this: void, text: string): void;
  /** Problems and words on what is going on. */
  err(this: void, text: string): void;
  /** Standard output is a screen, which a live view may redraw. */
  readonly isScreen: boolean;
  readonly columns: () => number;
  readonly rows: () => number;
  readonly paint: Painter;
}

/** The terminal of this process. */
export function processTerminal(environment: Environment): Terminal {
  const { stdout, stderr } = process;
  // A reader that has gone (`switchyard logs | head`) ends us quietly, but not as if a run or review had succeeded.
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(exitCodes.unread.code);
      throw error;
    });
  }
  const isScreen = stdout.isTTY && environment.all['TERM'] !== 'dumb';
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    isScreen,
    columns: () => stdout.columns ?? 80,
    rows: () => stdout.rows ?? 24,
    paint: pc.createColors(isScreen && !environment.noColor),
  };
}
