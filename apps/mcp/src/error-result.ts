import type { CallToolResult } from '@modelcontextprotocol/server';
import { errorTable, isAppError, messageOf, type ErrorCode } from '@switchyard/protocol';

/** An error as programs read it. `next`: `never` (mend it first), `later` (it may be tried again), `now`. */
export interface ToolError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly next: string;
  readonly meaning: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What went wrong, by its documented code. */
export function toolErrorOf(thrown: unknown): ToolError {
  const code = isAppError(thrown) ? thrown.code : 'E_INTERNAL';
  const details = isAppError(thrown) ? thrown.details : {};
  return {
    code,
    message: messageOf(thrown),
    next: errorTable[code].next,
    meaning: errorTable[code].text,
    ...(Object.keys(details).length > 0 && { details }),
  };
}

/** The answer of a tool that failed: for people and agents, and as JSON for programs. */
export function errorResult(thrown: unknown): CallToolResult {
  const error = toolErrorOf(thrown);
  return {
    isError: true,
    content: [
      { type: 'text', text: `error ${error.code}: ${error.message}\n${error.meaning}` },
      { type: 'text', text: JSON.stringify({ error }) },
    ],
    _meta: { 'switchyard/error': error },
  };
}
