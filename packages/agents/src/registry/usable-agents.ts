import type { AgentSpec } from './agent-spec.ts';
import { agentKinds, type AgentKind, type AgentTable } from './agent-table.ts';
import { findProgram, type ProgramSearch } from './find-program.ts';

/** Whether an agent can be driven in one way on this machine. */
export interface AgentState {
  readonly name: string;
  readonly kind: AgentKind;
  readonly spec: AgentSpec;
  /** Where its program is; absent: it is not installed. */
  readonly path?: string;
}

/** Every known agent, in each way in which it can be driven. */
export function agentStates(table: AgentTable, search: ProgramSearch): AgentState[] {
  return [...table].flatMap(([name, spec]) =>
    agentKinds.flatMap((kind): AgentState[] => {
      const launch = spec[kind];
      if (launch === undefined) return [];
      const path = findProgram(launch.program, search)?.path;
      return [{ name, kind, spec, ...(path !== undefined && { path }) }];
    }),
  );
}
