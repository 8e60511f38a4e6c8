import {
  errorTable,
  limits,
  messageOf,
  type ErrorCode,
  type Failure,
  type FailureClass,
} from '@switchyard/protocol';
import { operatingError } from '@switchyard/runtime';

/** Codes whose class does not follow from what `errorTable` says comes next. */
const classes: Partial<Record<ErrorCode, FailureClass>> = {
  E_UNREACHABLE: 'io',
  E_IO: 'io',
  E_STORAGE: 'io',
  E_DISK_FULL: 'io',
  E_TIMEOUT: 'io',
  E_SANDBOX_UNAVAILABLE: 'fatal',
  E_INTERNAL: 'fatal',
  E_HANDOVER_INVALID: 'parsing',
};

/** What has to be mended first fails again when repeated (`logic`); what comes and goes is the machine's (`system`). */
function classOf(code: ErrorCode): FailureClass {
  return classes[code] ?? (errorTable[code].next === 'never' ? 'logic' : 'system');
}

export interface FailureExtra {
  readonly outputTail?: string;
  readonly paths?: readonly string[];
  /** Where the caller knows better than the table. */
  readonly class?: FailureClass;
}

/** A failure of a known code, cut to the limits of the wire. */
export function failure(code: ErrorCode, message: string, extra: FailureExtra = {}): Failure {
  return {
    class: extra.class ?? classOf(code),
    code,
    message: message.slice(0, 4000) || code,
    ...(extra.outputTail !== undefined && { outputTail: tailOf(extra.outputTail) }),
    ...(extra.paths !== undefined && {
      paths: extra.paths.slice(0, 1000).map((path) => path.slice(0, 4096)),
    }),
  };
}

/** Turns anything thrown into a failure; what is no operating error is a bug of ours and says so. */
export function failureOf(thrown: unknown): Failure {
  const error = operatingError(thrown);
  if (error === undefined) return failure('E_INTERNAL', `a bug: ${messageOf(thrown)}`);
  const { outputTail, paths } = error.details;
  return failure(error.code, error.message, {
    ...(typeof outputTail === 'string' && { outputTail }),
    ...(Array.isArray(paths) && { paths: paths.map(String) }),
  });
}

/** The end of an output, as receipts and failures carry it. */
export function tailOf(output: string): string {
  return output.slice(-limits.receiptOutputBytes);
}
