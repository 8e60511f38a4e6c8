import { errorTable, isAppError, messageOf, type ErrorCode } from '@switchyard/protocol';
import type { SessionErrorClass, SessionTrouble } from '@switchyard/review';

/** What may pass by itself, or be mended by a person, or must never be gone on with; anything else is a bug. */
const classes: Partial<Record<ErrorCode, SessionErrorClass>> = {
  E_IO: 'io_error',
  E_STORAGE: 'io_error',
  E_DISK_FULL: 'io_error',
  E_NOT_FOUND: 'io_error',
  E_UNREACHABLE: 'io_error',
  E_PROTOCOL: 'parsing_error',
  E_TIMEOUT: 'system_error',
  E_EXECUTOR: 'system_error',
  E_SANDBOX: 'system_error',
  E_SPAWN: 'system_error',
  E_COMMAND_FAILED: 'system_error',
  E_COMMAND_TIMEOUT: 'system_error',
  E_CONFIG: 'configuration_error',
  E_SESSION_SPEC: 'configuration_error',
  E_SESSION_CONFLICT: 'architecture_conflict',
  E_SANDBOX_UNAVAILABLE: 'missing_dependency',
  E_NO_GIT: 'missing_dependency',
  E_ACCESS: 'permission_error',
  E_SESSION_DAMAGED: 'data_corruption',
  E_STATE_DAMAGED: 'data_corruption',
  E_OUTSIDE_WORKSPACE: 'security_violation',
  E_WORKSPACE_VIOLATION: 'security_violation',
  E_READ_ONLY: 'security_violation',
  E_PROTECTED: 'security_violation',
};

/** What helps a session, where the table of codes says it more generally. */
const instructions: Partial<Record<ErrorCode, string>> = {
  E_SANDBOX_UNAVAILABLE:
    'Make the sandbox work (`switchyard doctor` says how), or go on with --no-sandbox where you trust the project.',
  E_CONFIG: 'Correct what the text names.',
  E_SESSION_SPEC: 'Correct what the text names.',
};

/** Errors of the system that pass, where no code of ours says more. */
const passing = new Set(['EMFILE', 'ENFILE', 'EBUSY', 'EAGAIN', 'EIO', 'ETXTBSY', 'ENOENT', 'ESTALE']);

/** What a session makes of anything thrown: its class, what happened, and what a person can do. */
export function troubleOf(thrown: unknown): SessionTrouble {
  const message = messageOf(thrown);
  if (isAppError(thrown)) {
    const errorClass = classes[thrown.code] ?? (thrown.next === 'later' ? 'system_error' : 'logic_error');
    return {
      errorClass,
      message: `${thrown.code}: ${message}`,
      instructions: instructions[thrown.code] ?? errorTable[thrown.code].text,
    };
  }
  const code = (thrown as NodeJS.ErrnoException | undefined)?.code ?? '';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return { errorClass: 'permission_error', message, instructions: 'Let this user read and write there.' };
  return { errorClass: passing.has(code) ? 'io_error' : 'logic_error', message };
}
