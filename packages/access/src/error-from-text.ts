import { AppError, errorTable, type ErrorCode } from '@switchyard/protocol';

/** An error that another process of ours has printed, read back. */
export function errorFromText(text: string): AppError | undefined {
  const found = /^error (E_[A-Z_]+): (.*)$/m.exec(text);
  const [, code, message] = found ?? [];
  if (code === undefined || message === undefined || !Object.hasOwn(errorTable, code)) return undefined;
  return new AppError(code as ErrorCode, message);
}
