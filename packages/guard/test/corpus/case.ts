import type { AuditEventKind } from '@switchyard/guard';
import type { ErrorCode } from '@switchyard/protocol';

/**
 * One thing that somebody tries with a guard, and how it must end. Texts may hold `$B` (the folder of the case), `$WS`
 * (the workspace), `$RO` (a folder that may be read), `$OUT` (outside, with `secret.txt`), `$SIB` (a neighbour whose
 * name begins like the workspace's), `$HOME` (with keys) and `$SECRET`, the content that nobody may see.
 */
export interface Case {
  readonly title: string;
  /** Shell lines of the host, run in `$B` before the guard is opened. */
  readonly before?: string;
  /** Done up to the first refusal, which only the last may be. */
  readonly steps: readonly Step[];
  readonly end: End;
  /** For root the operating system never says no: then the last step may also be done. */
  readonly rootMay?: boolean;
}

/** A tool and its arguments; `host` is a shell line of the host while the guard is open. */
export type Step = readonly [tool: Tool, ...args: unknown[]];

export type Tool =
  | 'read'
  | 'write'
  | 'insert'
  | 'diff'
  | 'list'
  | 'search'
  | 'stat'
  | 'move'
  | 'remove'
  | 'mkdir'
  | 'run'
  | 'git'
  | 'audit'
  | 'open'
  | 'lexical'
  | 'host';

export interface End {
  /** The last step is refused with one of these codes. */
  readonly refused?: ErrorCode | readonly ErrorCode[];
  /** Done or refused: either is right. */
  readonly either?: true;
  /** In what the steps answered. */
  readonly shows?: string;
  /** In none of it. */
  readonly hides?: string;
  /** Among what the audit reports. */
  readonly event?: AuditEventKind;
  /** The audit reports nothing. */
  readonly noEvent?: true;
  /** `name=text`: this file of the workspace holds the text in the end. */
  readonly holds?: string;
  /** This name is not in the workspace in the end. */
  readonly gone?: string;
  readonly ended?: 'timed-out' | 'truncated';
}

/** Cases by category. */
export type Corpus = Readonly<Record<string, readonly Case[]>>;
