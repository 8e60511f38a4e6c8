import { z } from 'zod';
import type { AgentEvent } from '../agent-event.ts';
import { objectIn, type AgentResult, type OutputReader } from './reader.ts';

const part = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  thinking: z.string().optional(),
});
const message = z.looseObject({
  role: z.string(),
  content: z.union([z.string(), z.array(part)]).optional(),
  stopReason: z.string().optional(),
  errorMessage: z.string().optional(),
});
const call = { toolCallId: z.string(), toolName: z.string() };
const line = z.union([
  z.looseObject({ type: z.literal('message_end'), message }),
  z.looseObject({ type: z.literal('tool_execution_start'), ...call, args: z.unknown().optional() }),
  z.looseObject({
    type: z.literal('tool_execution_end'),
    ...call,
    isError: z.boolean().optional(),
    result: z.looseObject({ content: z.array(part).optional() }).optional(),
  }),
  z.looseObject({ type: z.literal('agent_end'), messages: z.array(message) }),
  z.looseObject({
    // Pieces of what comes as a whole, and marks that say nothing.
    type: z.enum([
      'session',
      'agent_start',
      'turn_start',
      'turn_end',
      'message_start',
      'message_update',
      'tool_execution_update',
    ]),
  }),
]);

/** `pi -p --mode json`, which exits with 0 also where the model failed. */
export function readPi(): OutputReader {
  let result: AgentResult | undefined;
  return {
    saysItsEnd: true,
    result: () => result,
    read(text) {
      const parsed = line.safeParse(objectIn(text));
      if (!parsed.success) return text.startsWith('{"type":"') ? [] : [{ kind: 'output', text }];
      const event = parsed.data;
      switch (event.type) {
        case 'message_end':
          return eventsOf(event.message);
        case 'tool_execution_start':
          return [
            {
              kind: 'tool-call',
              id: event.toolCallId,
              title: event.toolName,
              status: 'running',
              input: event.args,
            },
          ];
        case 'tool_execution_end': {
          const status = event.isError === true ? 'failed' : 'completed';
          const output = textOf(event.result?.content);
          return [{ kind: 'tool-call', id: event.toolCallId, title: event.toolName, status, output }];
        }
        case 'agent_end':
          result = resultOf(event.messages.findLast(({ role }) => role === 'assistant'));
          return [];
        default:
          return [];
      }
    },
  };
}

type Message = z.output<typeof message>;

function eventsOf({ role, content }: Message): AgentEvent[] {
  if (role !== 'assistant' || content === undefined) return [];
  if (typeof content === 'string') return [{ kind: 'message', text: content }];
  return content.flatMap((each): AgentEvent[] => {
    if (each.type === 'text') return [{ kind: 'message', text: each.text ?? '' }];
    return each.type === 'thinking' ? [{ kind: 'thought', text: each.thinking ?? '' }] : [];
  });
}

function resultOf(last: Message | undefined): AgentResult {
  if (last === undefined) return { isError: true, text: 'it ended without a word' };
  const isError = last.stopReason === 'error' || last.stopReason === 'aborted';
  return { isError, text: isError ? (last.errorMessage ?? 'it gave no reason') : textOf(last.content) };
}

function textOf(content: Message['content']): string {
  if (content === undefined || typeof content === 'string') return content ?? '';
  return content.map(({ text = '' }) => text).join('');
}
