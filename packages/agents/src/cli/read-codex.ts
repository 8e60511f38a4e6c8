import { z } from 'zod';
import type { AgentEvent, PlanEntry, ToolCallStatus } from '../agent-event.ts';
import { objectIn, type AgentResult, type OutputReader } from './reader.ts';

const item = z.looseObject({
  id: z.string(),
  type: z.string(),
  text: z.string().optional(),
  message: z.string().optional(),
  command: z.string().optional(),
  aggregated_output: z.string().optional(),
  status: z.string().optional(),
  changes: z.array(z.looseObject({ path: z.string(), kind: z.unknown().optional() })).optional(),
  server: z.string().optional(),
  tool: z.string().optional(),
  result: z
    .looseObject({ content: z.array(z.looseObject({ text: z.string().optional() })).optional() })
    .nullish(),
  error: z.looseObject({ message: z.string() }).nullish(),
  items: z.array(z.looseObject({ text: z.string(), completed: z.boolean().optional() })).optional(),
});
type Item = z.output<typeof item>;
const line = z.union([
  z.looseObject({ type: z.enum(['item.started', 'item.updated', 'item.completed']), item }),
  z.looseObject({ type: z.literal('turn.failed'), error: z.looseObject({ message: z.string() }) }),
  z.looseObject({ type: z.literal('error'), message: z.string() }),
  z.looseObject({ type: z.enum(['thread.started', 'turn.started', 'turn.completed']) }),
]);

/** `codex exec --json`. */
export function readCodex(): OutputReader {
  let result: AgentResult | undefined;
  let said = '';
  return {
    saysItsEnd: true,
    result: () => result,
    read(text) {
      const parsed = line.safeParse(objectIn(text));
      if (!parsed.success) return [{ kind: 'output', text }];
      const event = parsed.data;
      switch (event.type) {
        case 'item.started':
        case 'item.updated':
        case 'item.completed':
          if (event.item.type === 'agent_message') said = event.item.text ?? said;
          return eventsOf(event.item, event.type);
        case 'turn.failed':
          result = { isError: true, text: event.error.message };
          return [];
        case 'error':
          return [{ kind: 'note', text: event.message }];
        case 'turn.completed':
          result = { isError: false, text: said };
          return [];
        case 'thread.started':
        case 'turn.started':
          return [];
      }
    },
  };
}

function eventsOf(each: Item, event: string): AgentEvent[] {
  const isLast = event === 'item.completed';
  switch (each.type) {
    case 'agent_message':
      return isLast ? [{ kind: 'message', text: each.text ?? '' }] : [];
    case 'reasoning':
      return isLast ? [{ kind: 'thought', text: each.text ?? '' }] : [];
    case 'error':
      return [{ kind: 'note', text: each.message ?? '' }];
    case 'todo_list':
      return [{ kind: 'plan', entries: (each.items ?? []).map(planEntry) }];
    case 'command_execution':
      return [toolCall(each, each.command ?? 'a command', isLast)];
    case 'file_change':
      return [toolCall(each, `change ${(each.changes ?? []).map(({ path }) => path).join(', ')}`, isLast)];
    case 'mcp_tool_call':
      return [toolCall(each, `${each.server ?? ''} ${each.tool ?? ''}`.trim(), isLast)];
    default:
      return [];
  }
}

function planEntry({
  text,
  completed,
}: {
  readonly text: string;
  readonly completed?: boolean | undefined;
}): PlanEntry {
  return { text, status: completed === true ? 'completed' : 'pending' };
}

function toolCall(each: Item, title: string, isLast: boolean): AgentEvent {
  const status: ToolCallStatus = each.status === 'failed' ? 'failed' : isLast ? 'completed' : 'running';
  const answer = each.result?.content?.map(({ text = '' }) => text).join('');
  const output = each.aggregated_output ?? answer ?? each.error?.message;
  return { kind: 'tool-call', id: each.id, title, status, ...(isLast && output !== undefined && { output }) };
}
