import { dataPiece, type Answer, type Making } from './answer.ts';

/** Gemini `generateContent`; its stream is of one piece. */
export function answerGemini({ id, model, reply, usage }: Making): Answer {
  const { call } = reply;
  const args = call !== undefined && 'args' in call ? call.args : {};
  const part =
    call === undefined
      ? { text: reply.text }
      : { functionCall: { id: `call_${id}`, name: call.name, args }, thoughtSignature: 'c2NyaXB0ZWQ=' };
  const { input, output, cached = 0 } = usage;
  const whole = {
    candidates: [{ content: { role: 'model', parts: [part] }, finishReason: 'STOP', index: 0 }],
    usageMetadata: {
      promptTokenCount: input,
      cachedContentTokenCount: cached,
      candidatesTokenCount: output,
      totalTokenCount: input + output,
    },
    modelVersion: model,
    responseId: id,
  };
  return { whole, pieces: [dataPiece(whole)] };
}
