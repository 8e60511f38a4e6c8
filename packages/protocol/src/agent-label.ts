import type { ExecutorSpec } from './plan-schema.ts';

/** What a worker offers that can drive an agent in one way: `agent:codex:cli`. Cut to what a label may have. */
export function agentLabel(agent: string, kind: 'acp' | 'cli'): string {
  return `agent:${agent.slice(0, 80)}:${kind}`;
}

/** What a worker must offer for the executor of a task; undefined: every worker has it. */
export function labelOfExecutor(executor: ExecutorSpec): string | undefined {
  return executor.kind === 'acp' || executor.kind === 'cli'
    ? agentLabel(executor.agent, executor.kind)
    : undefined;
}

/** The agent that a label is about; undefined: it is about something else. */
export function agentOfLabel(
  label: string,
): { readonly agent: string; readonly kind: 'acp' | 'cli' } | undefined {
  const [, agent, kind] = /^agent:([^:]+):(acp|cli)$/.exec(label) ?? [];
  return agent === undefined ? undefined : { agent, kind: kind === 'acp' ? 'acp' : 'cli' };
}

/** A label as people read it where nobody offers it. */
export function labelText(label: string): string {
  const found = agentOfLabel(label);
  return found === undefined ? label : `the agent ${found.agent} (${found.kind})`;
}
