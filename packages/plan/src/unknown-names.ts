import type { ProblemText } from './problem.ts';

export function unknownAgent(facts: {
  readonly id: string;
  readonly agent: string;
  readonly kind: string;
  readonly known: readonly string[];
}): ProblemText {
  return {
    code: 'PLAN_AGENT_UNKNOWN',
    message: `Task ${facts.id} names the agent "${facts.agent}", which is not known for an executor of kind ${facts.kind}`,
    fix: `use one of: ${facts.known.join(', ')}; or describe it in the file that SWITCHYARD_AGENTS names`,
  };
}

export function unknownServer(facts: {
  readonly id: string;
  readonly server: string;
  readonly known: readonly string[];
}): ProblemText {
  return {
    code: 'PLAN_MCP_SERVER_UNKNOWN',
    message: `Task ${facts.id} names the MCP server "${facts.server}", which is not in the catalogue`,
    fix: `use one of: ${facts.known.join(', ')}; or describe it in the file that SWITCHYARD_MCP_SERVERS names`,
  };
}
