import { z } from 'zod';
import type { AgentEvent } from '../agent-event.ts';
import { objectIn, type AgentResult, type OutputReader } from './reader.ts';

const textParts = z.union([z.string(), z.array(z.looseObject({ text: z.string().optional() }))]);
const part = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  thinking: z.string().optional(),
  id: z.string().optional(),
  name: z.string().optional(),
  input: z.unknown().optional(),
  tool_use_id: z.string().optional(),
  content: textParts.optional(),
  is_error: z.boolean().optional(),
});
const line = z.union([
  z.looseObject({
    type: z.enum(['assistant', 'user']),
    message: z.looseObject({ content: z.union([z.string(), z.array(part)]) }),
  }),
  z.looseObject({
    type: z.literal('result'),
    is_error: z.boolean(),
    subtype: z.string().optional(),
    result: z.string().optional(),
  }),
  z.looseObject({ type: z.literal('system'), subtype: z.string().optional(), error: z.unknown().optional() }),
]);

/** `--output-format stream-json`. */
export function readClaude(): OutputReader {
  let result: AgentResult | undefined;
  const titles = new Map<string, string>();
  return {
    saysItsEnd: true,
    result: () => result,
    read(text) {
      const parsed = line.safeParse(objectIn(text));
      if (!parsed.success) return [{ kind: 'output', text }];
      const event = parsed.data;
      switch (event.type) {
        case 'assistant':
        case 'user': {
          const { content } = event.message;
          return typeof content === 'string' ? [] : content.flatMap((each) => eventsOf(each, titles));
        }
        case 'result':
          result = { isError: event.is_error, text: event.result ?? event.subtype ?? 'it gave no reason' };
          return [];
        case 'system':
          return event.subtype === 'api_retry' ? [{ kind: 'note', text: 'the model is asked again' }] : [];
      }
    },
  };
}

function eventsOf(each: z.output<typeof part>, titles: Map<string, string>): AgentEvent[] {
  switch (each.type) {
    case 'text':
      return [{ kind: 'message', text: each.text ?? '' }];
    case 'thinking':
      return [{ kind: 'thought', text: each.thinking ?? '' }];
    case 'tool_use': {
      const { id = '', name = 'a tool', input } = each;
      titles.set(id, name);
      return [{ kind: 'tool-call', id, title: name, status: 'running', input }];
    }
    case 'tool_result': {
      const { tool_use_id: id = '', content = '', is_error: isError } = each;
      const output = typeof content === 'string' ? content : content.map(({ text = '' }) => text).join('');
      const status = isError === true ? 'failed' : 'completed';
      return [{ kind: 'tool-call', id, title: titles.get(id) ?? 'a tool', status, output }];
    }
    default:
      return [];
  }
}
