import { errorTable, exitCodes, type ErrorCode, type Next } from './error-codes.ts';

export interface AppErrorOptions {
  /** What led to it. */
  readonly cause?: unknown;
  /** Facts for the log and the wire; never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * An operating error: something outside the program went wrong. It has a stable documented code, says what
 * happens next, and its message says what happened, where, and how to mend it. A bug is not an AppError.
 */
export class AppError extends Error {
  override readonly name: string = 'AppError';
  readonly code: ErrorCode;
  readonly next: Next;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.next = errorTable[code].next;
    this.details = options.details ?? {};
  }

  /** The exit code of a process that ends because of this error. */
  get exitCode(): number {
    return exitCodes[errorTable[this.code].exit].code;
  }
}

/** Narrows anything thrown to an AppError, or says no. */
export function isAppError(thrown: unknown): thrown is AppError {
  return thrown instanceof AppError;
}

/** The message of anything thrown, for logs and for text shown to people. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
