import { chunksOf, namedPiece, type Answer, type Making } from './answer.ts';

/** Anthropic Messages. */
export function answerAnthropic(making: Making): Answer {
  const { id, model, reply, argumentText } = making;
  const { call } = reply;
  const args = call !== undefined && 'args' in call ? call.args : {};
  const block =
    call === undefined
      ? { type: 'text', text: reply.text }
      : { type: 'tool_use', id: `toolu_${id}`, name: call.name, input: args };
  const stop = { stop_reason: call === undefined ? 'end_turn' : 'tool_use', stop_sequence: null };
  const usage = usageOf(making);
  const message = { id: `msg_${id}`, type: 'message', role: 'assistant', model };
  const deltas = chunksOf(call === undefined ? reply.text : argumentText, making).map((piece) =>
    namedPiece('content_block_delta', {
      index: 0,
      delta:
        call === undefined
          ? { type: 'text_delta', text: piece }
          : { type: 'input_json_delta', partial_json: piece },
    }),
  );
  const beginning = {
    message: {
      ...message,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { ...usage, output_tokens: 1 },
    },
  };
  const empty = call === undefined ? { type: 'text', text: '' } : { ...block, input: {} };
  return {
    whole: { ...message, content: [block], ...stop, usage },
    pieces: [
      namedPiece('message_start', beginning),
      namedPiece('content_block_start', { index: 0, content_block: empty }),
      ...deltas,
      namedPiece('content_block_stop', { index: 0 }),
      namedPiece('message_delta', { delta: stop, usage }),
      namedPiece('message_stop', {}),
    ],
  };
}

/** The input tokens of this form do not count what was read from the cache. */
function usageOf({ usage }: Making) {
  const { input, output, cached = 0 } = usage;
  return {
    input_tokens: input - cached,
    output_tokens: output,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
  };
}
