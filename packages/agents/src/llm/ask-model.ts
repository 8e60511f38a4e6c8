import type { LanguageModelV3CallOptions, LanguageModelV3StreamPart } from '@ai-sdk/provider';
import { AppError } from '@switchyard/protocol';
import { backoffMs, sleep, type Clock, type Random } from '@switchyard/runtime';
import type { Tool } from '../tools/tool.ts';
import type { LlmLimits } from './llm-limits.ts';
import { CutStream, troubleOf, type ModelTrouble } from './model-trouble.ts';
import type { OpenModel } from './open-model.ts';

/** A call whose arguments are still text. */
export interface RawCall {
  readonly id: string;
  readonly tool: string;
  readonly json: string;
}

/** What the model said in one turn. */
export interface ModelTurn {
  readonly text: string;
  readonly thought: string;
  readonly calls: readonly RawCall[];
  /** As the model counted; absent where it does not say. */
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** It was cut at the limit of one answer. */
  readonly isCutShort: boolean;
}

export interface ModelAsk {
  readonly model: OpenModel;
  readonly tools: readonly Tool[];
  readonly limits: LlmLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Text as it comes. */
  readonly onText: (delta: string) => void;
  /** What goes on, for the transcript. */
  readonly note: (text: string) => void;
}

/** Thrown when the model cannot be asked; `trouble` says why, and is never `retry` with tries left. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly trouble: ModelTrouble;

  constructor(trouble: ModelTrouble) {
    super(trouble.message);
    this.trouble = trouble;
  }
}

/**
 * Asks the model once, and again after what passes: throttling, broken answers, cut and silent streams. Rejects with
 * ModelError when it does not pass, and with the signal's reason.
 */
export async function askModel(
  prompt: LanguageModelV3CallOptions['prompt'],
  ask: ModelAsk,
): Promise<ModelTurn> {
  const { limits, signal, clock, random, note } = ask;
  for (let tries = 1; ; tries += 1) {
    signal.throwIfAborted();
    try {
      return await tryOnce(prompt, ask);
    } catch (error) {
      signal.throwIfAborted();
      const trouble = error instanceof AppError ? passing(error) : troubleOf(error);
      if (trouble.kind !== 'retry' || tries >= limits.tries) throw new ModelError(trouble);
      const afterMs = trouble.afterMs ?? backoffMs(tries - 1, limits.backoff, random);
      if (afterMs > limits.retryAfterMs) throw new ModelError(trouble);
      note(`${trouble.message}; tried again in ${afterMs} ms (${tries} of ${limits.tries})`);
      await sleep(clock, afterMs, signal);
    }
  }
}

/** A flood is no trouble of the network, and comes again. */
function passing(error: AppError): ModelTrouble {
  return { kind: 'stop', class: 'logic', message: error.message };
}

async function tryOnce(prompt: LanguageModelV3CallOptions['prompt'], ask: ModelAsk): Promise<ModelTurn> {
  const { model, tools, limits, clock } = ask;
  const own = new AbortController();
  const signal = AbortSignal.any([ask.signal, own.signal]);
  const watch = watchSilence(clock, limits.idleMs, () =>
    own.abort(new CutStream(`the model said nothing for ${limits.idleMs / 1000} s`)),
  );
  model.life.onSign = watch.heard;
  try {
    const { stream } = await model.language.doStream({
      prompt,
      tools: tools.map(({ name, description, parameters }) => ({
        type: 'function',
        name,
        description,
        inputSchema: parameters,
      })),
      maxOutputTokens: limits.outputTokens,
      abortSignal: signal,
    });
    return await collect(stream, { ...ask, signal });
  } catch (error) {
    // What the abort makes of the request is no cause of its own.
    own.signal.throwIfAborted();
    throw error;
  } finally {
    model.life.onSign = () => undefined;
    watch.end();
    own.abort();
  }
}

/** Calls once when nothing was heard for so long. */
function watchSilence(clock: Clock, idleMs: number, silent: () => void) {
  let cancel = clock.after(idleMs, silent);
  return {
    heard: () => {
      cancel();
      cancel = clock.after(idleMs, silent);
    },
    end: () => cancel(),
  };
}

/** Reads a stream to its end. Throws what it says went wrong, and CutStream when it ends without a finish. */
async function collect(
  stream: ReadableStream<LanguageModelV3StreamPart>,
  { signal, onText, limits }: ModelAsk,
): Promise<ModelTurn> {
  let text = '';
  let thought = '';
  let chars = 0;
  const calls: RawCall[] = [];
  let finish: Extract<LanguageModelV3StreamPart, { type: 'finish' }> | undefined;
  for await (const part of stream) {
    signal.throwIfAborted();
    chars += charsOf(part);
    if (chars > limits.turnChars)
      throw new AppError('E_MODEL', `the model said more than ${limits.turnChars} characters in one turn`);
    if (part.type === 'error') throw part.error;
    if (part.type === 'text-delta') {
      text += part.delta;
      onText(part.delta);
    }
    if (part.type === 'reasoning-delta') thought += part.delta;
    if (part.type === 'tool-call') calls.push({ id: part.toolCallId, tool: part.toolName, json: part.input });
    if (part.type === 'finish') finish = part;
  }
  signal.throwIfAborted();
  // The OpenAI form finishes a stream that was cut with a reason of its own making.
  const reason = finish?.finishReason;
  if (reason === undefined || (reason.unified === 'other' && reason.raw === undefined))
    throw new CutStream('the stream of the model ended before its answer did');
  const { inputTokens, outputTokens } = finish?.usage ?? {};
  return {
    text,
    thought,
    calls,
    isCutShort: reason.unified === 'length',
    ...(inputTokens?.total !== undefined && { inputTokens: inputTokens.total }),
    ...(outputTokens?.total !== undefined && { outputTokens: outputTokens.total }),
  };
}

function charsOf(part: LanguageModelV3StreamPart): number {
  switch (part.type) {
    case 'text-delta':
    case 'reasoning-delta':
    case 'tool-input-delta':
      return part.delta.length;
    default:
      return 0;
  }
}
