import type { AgentEvent } from '../agent-event.ts';

/** How the agent itself says that its turn ended. */
export interface AgentResult {
  readonly isError: boolean;
  /** Its last words, or its error. */
  readonly text: string;
}

/** Understands what one kind of agent prints, line by line. */
export interface OutputReader {
  /** Whether it tells when its turn is over; of one that does not, the exit code is all there is. */
  readonly saysItsEnd: boolean;
  read(line: string): readonly AgentEvent[];
  /** Once it has said that its turn is over. */
  result(): AgentResult | undefined;
}

/** A line as a JSON object; nothing for anything else. */
export function objectIn(line: string): unknown {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as unknown;
  } catch {
    // Not one of its events; it is kept as output.
    return undefined;
  }
}
