import { chunksOf, namedPiece, type Answer, type Making } from './answer.ts';

interface Item extends Record<string, unknown> {
  readonly id: string;
}

/** OpenAI responses. */
export function answerResponses(making: Making): Answer {
  const item = itemOf(making);
  let number = 0;
  const event = (type: string, fields: object): string =>
    namedPiece(type, { sequence_number: number++, ...fields });
  const place = { item_id: item.id, output_index: 0 };
  const pieces = [event('response.created', { response: responseOf(making, 'in_progress', []) })];
  if (making.reply.call === undefined) pieces.push(...textPieces(making, item, event));
  else pieces.push(...callPieces(making, { item, place }, event));
  pieces.push(
    event('response.output_item.done', { output_index: 0, item }),
    event('response.completed', { response: responseOf(making, 'completed', [item]) }),
  );
  return { whole: responseOf(making, 'completed', [item]), pieces };
}

type MakeEvent = (type: string, fields: object) => string;

function callPieces(
  making: Making,
  { item, place }: { readonly item: Item; readonly place: object },
  event: MakeEvent,
): string[] {
  const isFreeform = making.reply.call !== undefined && 'input' in making.reply.call;
  const key = isFreeform ? 'input' : 'arguments';
  const name = isFreeform ? 'response.custom_tool_call_input' : 'response.function_call_arguments';
  return [
    event('response.output_item.added', {
      output_index: 0,
      item: { ...item, [key]: '', status: 'in_progress' },
    }),
    ...chunksOf(making.argumentText, making).map((delta) => event(`${name}.delta`, { ...place, delta })),
    event(`${name}.done`, { ...place, [key]: making.argumentText }),
  ];
}

function textPieces(making: Making, item: Item, event: MakeEvent): string[] {
  const place = { item_id: item.id, output_index: 0, content_index: 0 };
  const part = { type: 'output_text', text: '', annotations: [] };
  const { text } = making.reply;
  return [
    event('response.output_item.added', {
      output_index: 0,
      item: { ...item, status: 'in_progress', content: [] },
    }),
    event('response.content_part.added', { ...place, part }),
    ...chunksOf(text, making).map((delta) => event('response.output_text.delta', { ...place, delta })),
    event('response.output_text.done', { ...place, text }),
    event('response.content_part.done', { ...place, part: { ...part, text } }),
  ];
}

function itemOf({ id, reply, argumentText }: Making): Item {
  const { call } = reply;
  if (call === undefined)
    return {
      type: 'message',
      id: `msg_${id}`,
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: reply.text, annotations: [] }],
    };
  const group = 'args' in call && call.namespace !== undefined ? { namespace: call.namespace } : {};
  const named = { call_id: `call_${id}`, name: call.name, ...group, status: 'completed' };
  return 'input' in call
    ? { type: 'custom_tool_call', id: `ctc_${id}`, ...named, input: argumentText }
    : { type: 'function_call', id: `fc_${id}`, ...named, arguments: argumentText };
}

function responseOf({ id, model, usage, atSecond }: Making, status: string, output: readonly Item[]) {
  const { input, output: said, cached = 0 } = usage;
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: atSecond,
    status,
    model,
    output,
    parallel_tool_calls: false,
    tool_choice: 'auto',
    tools: [],
    usage:
      status === 'completed'
        ? {
            input_tokens: input,
            input_tokens_details: { cached_tokens: cached },
            output_tokens: said,
            output_tokens_details: { reasoning_tokens: 0 },
            total_tokens: input + said,
          }
        : null,
  };
}
