import type { Command } from 'commander';
import type { Environment } from '@switchyard/access';
import type { Terminal } from './terminal.ts';

/** What every command gets. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly environment: Environment;
  readonly cwd: string;
  /** Sets the exit code of a command that ends well but has something to report by it. */
  end(exitCode: number): void;
}

/** Options that every command knows. */
export interface CommonOptions {
  readonly repository?: string;
  readonly state?: string;
  readonly hub?: string;
  readonly tokenFile?: string;
  readonly fingerprint?: string;
}

/** The common options, wherever on the command line they stand. */
export function commonOptions(command: Command): CommonOptions {
  return command.optsWithGlobals<CommonOptions>();
}
