import { chunksOf, dataPiece, type Answer, type Making } from './answer.ts';

/** OpenAI chat completions. */
export function answerChat(making: Making): Answer {
  const { id, model, reply, argumentText, atSecond } = making;
  const { call } = reply;
  const base = { id: `chatcmpl-${id}`, created: atSecond, model };
  const named = { id: `call_${id}`, type: 'function' };
  const reason = call === undefined ? 'stop' : 'tool_calls';
  const usage = usageOf(making);
  const piece = (delta: object, finish: string | null = null): string =>
    dataPiece({
      ...base,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
  const begin = (name: string): string =>
    piece({ tool_calls: [{ index: 0, ...named, function: { name, arguments: '' } }] });
  const content =
    call === undefined
      ? chunksOf(reply.text, making).map((text) => piece({ content: text }))
      : [
          begin(call.name),
          ...chunksOf(argumentText, making).map((text) =>
            piece({ tool_calls: [{ index: 0, function: { arguments: text } }] }),
          ),
        ];
  const calls = call && [{ ...named, function: { name: call.name, arguments: argumentText } }];
  const message = {
    role: 'assistant',
    content: call === undefined ? reply.text : null,
    ...(calls && { tool_calls: calls }),
  };
  return {
    whole: {
      ...base,
      object: 'chat.completion',
      choices: [{ index: 0, finish_reason: reason, message }],
      usage,
    },
    pieces: [
      piece({ role: 'assistant', content: call === undefined ? '' : null }),
      ...content,
      piece({}, reason),
      dataPiece({ ...base, object: 'chat.completion.chunk', choices: [], usage }),
      dataPiece('[DONE]'),
    ],
  };
}

function usageOf({ usage }: Making) {
  const { input, output, cached = 0 } = usage;
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
  };
}
