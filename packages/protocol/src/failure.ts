import { z } from 'zod';
import { errorCode } from './error-codes.ts';

/** Classes of failure and their default recovery (DESIGN.md section 6). */
export const failureClasses = [
  'io',
  'parsing',
  'logic',
  'system',
  'throttled',
  'exhausted',
  'fatal',
] as const;
export const failureClass = z.enum(failureClasses);
export type FailureClass = z.infer<typeof failureClass>;

/** Why an attempt failed. */
export const failure = z.object({
  class: failureClass,
  code: errorCode,
  /** For people: what happened, where, and what to do. */
  message: z.string().min(1).max(4000),
  /** The end of what the failing command printed. */
  outputTail: z.string().max(16_384).optional(),
  /** `throttled` and `exhausted`: how long the server asked us to wait. */
  retryAfterMs: z.number().int().min(0).optional(),
  /** Paths that the message speaks of, for example those outside the workspace. */
  paths: z.array(z.string().max(4096)).max(1000).optional(),
});
export type Failure = z.infer<typeof failure>;

/** The last line of npm, whatever happened. */
const pointsToLog = /^npm (?:ERR!|error) (?:A complete log|\s+\S+-debug-\d+\.log)/;

/** One line for people: code, message, and the last thing that the failing command said. */
export function failureLine({ code, message, outputTail }: Failure): string {
  const said = outputTail
    ?.split('\n')
    .map((line) => line.trim())
    .findLast((line) => line !== '' && !pointsToLog.test(line));
  const first = message.split('\n', 1)[0] ?? '';
  return `${code}: ${first}${said === undefined ? '' : `; it said: ${said.slice(0, 200)}`}`.slice(0, 700);
}
