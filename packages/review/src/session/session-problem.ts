/** Something wrong in a file of a session, for people. */
export interface SessionProblem {
  readonly file: string;
  /** 1-based; absent where the file as a whole is meant. */
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  readonly message: string;
  /** What to do. */
  readonly fix: string;
}

/** `docs/specs/task.md:4:1: message; fix` on one line. */
export function sessionProblemLine({ file, line, column, message, fix }: SessionProblem): string {
  const place = line === undefined ? file : `${file}:${line}${column === undefined ? '' : `:${column}`}`;
  return `${place}: ${message}; ${fix}`;
}
