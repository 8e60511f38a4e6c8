/** One entry of a listing; links are listed as such, not followed. */
export interface GuardedEntry {
  /** Below the listed folder. */
  readonly path: string;
  readonly kind: string;
}

/** What somebody means to do with a path; `change` is for moving and removing. */
export type FileIntent = 'read' | 'list' | 'write' | 'edit' | 'change';

/** What the guard would say of a path, and why. */
export interface FileExplanation {
  readonly allowed: boolean;
  /** In words, with the path as it was asked for. */
  readonly reason: string;
  /** Only of a refusal. */
  readonly code?: string;
}

/**
 * The files of an attempt: every method rejects with a GuardError (`code`, `path`, words for people), or does what it
 * says beneath the roots. The guard is the worker's; here it is an interface only. Paths are absolute or relative to
 * the checkout.
 */
export interface FileGuard {
  readFile(path: string): Promise<Uint8Array>;
  /** Makes missing folders. */
  writeFile(path: string, content: string | Uint8Array): Promise<void>;
  editFile(path: string, change: (text: string) => string): Promise<void>;
  /** SEARCH/REPLACE blocks, all or none. */
  applyDiff(path: string, diff: string): Promise<void>;
  /** Inserts before line `line + 1`: 0 is before the first line. */
  insertContent(path: string, line: number, content: string): Promise<void>;
  listFiles(path: string, options?: { readonly recursive?: boolean }): Promise<readonly GuardedEntry[]>;
  /** Lines that match, as `file:line:text`, relative to `path`. */
  searchFiles(path: string, pattern: string): Promise<readonly string[]>;
  move(from: string, to: string): Promise<void>;
  /** Removes a file, a link or a whole folder. */
  remove(path: string): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  /** What would happen; changes nothing. */
  explain(path: string, intent: FileIntent): FileExplanation;
  /** Rejects unless a command may work in this folder; gives its canonical path. */
  checkWorkingDirectory(path: string): Promise<string>;
}
