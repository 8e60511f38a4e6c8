import type {
  ContentBlock,
  SessionUpdate,
  ToolCall,
  ToolCallContent,
  ToolCallUpdate,
} from '@agentclientprotocol/sdk';
import type { AgentEvent, PlanEntry, ToolCallStatus } from '../agent-event.ts';

const statuses = {
  pending: 'pending',
  in_progress: 'running',
  completed: 'completed',
  failed: 'failed',
} as const;
const planStatuses = { pending: 'pending', in_progress: 'in-progress', completed: 'completed' } as const;

/** Makes events of an agent's updates; pieces of one message become one event. */
export class UpdateReader {
  private readonly tell: (event: AgentEvent) => void;
  private readonly titles = new Map<string, string>();
  private pending: { kind: 'message' | 'thought'; text: string } | undefined;
  /** The last message that is whole. */
  lastMessage = '';

  constructor(tell: (event: AgentEvent) => void) {
    this.tell = tell;
  }

  read(update: SessionUpdate): void {
    switch (update.sessionUpdate) {
      case 'agent_message_chunk':
        this.add('message', update.content);
        return;
      case 'agent_thought_chunk':
        this.add('thought', update.content);
        return;
      case 'tool_call':
      case 'tool_call_update':
        this.flush();
        this.toolCall(update);
        return;
      case 'plan':
        this.flush();
        this.tell({
          kind: 'plan',
          entries: update.entries.map(({ content, status }): PlanEntry => ({
            text: content,
            status: planStatuses[status],
          })),
        });
        return;
      default:
        // What people choose from in an editor, and counts that the gateway takes itself.
        return;
    }
  }

  /** Tells what was said and not yet told. */
  flush(): void {
    const { pending } = this;
    if (pending === undefined) return;
    this.pending = undefined;
    if (pending.kind === 'message') this.lastMessage = pending.text;
    this.tell(pending);
  }

  private add(kind: 'message' | 'thought', content: ContentBlock): void {
    if (content.type !== 'text') return;
    if (this.pending?.kind !== kind) this.flush();
    this.pending = { kind, text: (this.pending?.text ?? '') + content.text };
  }

  private toolCall(call: ToolCall | ToolCallUpdate): void {
    const { toolCallId: id, rawInput } = call;
    const title = call.title ?? this.titles.get(id) ?? 'a tool';
    this.titles.set(id, title);
    const status: ToolCallStatus = statuses[call.status ?? 'in_progress'];
    const output = textOf(call.content ?? []);
    const input = rawInput === undefined ? {} : { input: rawInput };
    this.tell({ kind: 'tool-call', id, title, status, ...input, ...(output !== '' && { output }) });
    for (const each of call.content ?? []) {
      if (each.type !== 'diff') continue;
      const before = each.oldText ?? undefined;
      this.tell({
        kind: 'diff',
        path: each.path,
        after: each.newText,
        ...(before !== undefined && { before }),
      });
    }
  }
}

function textOf(content: readonly ToolCallContent[]): string {
  return content
    .flatMap((each) => (each.type === 'content' && each.content.type === 'text' ? [each.content.text] : []))
    .join('\n');
}
