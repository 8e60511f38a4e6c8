import type { LanguageModelV3 } from '@ai-sdk/provider';
import type { ModelEndpoint } from '../model-endpoint.ts';

/** A model, and whether anything at all comes from it: the gateway shows life while it holds a request. */
export interface OpenModel {
  readonly language: LanguageModelV3;
  readonly life: SignsOfLife;
}

/** Passes answers on as they are, and tells of every piece of them, also of those that no form counts. */
export class SignsOfLife {
  onSign: () => void = () => undefined;

  readonly fetch: typeof fetch = async (target, init) => {
    const answer = await fetch(target, init);
    this.onSign();
    if (answer.body === null) return answer;
    const told = new TransformStream<Uint8Array, Uint8Array>({
      transform: (piece, next) => {
        this.onSign();
        next.enqueue(piece);
      },
    });
    return new Response(answer.body.pipeThrough(told), answer);
  };
}

/** Where this process reaches a model. */
export type ModelAccess = Pick<ModelEndpoint, 'anthropic' | 'openai' | 'token'>;

/**
 * The model of a name in the form that it speaks: `claude…` and `anthropic/…` in the Anthropic form, everything else, and
 * `openai/…`, in the OpenAI form. The SDK is loaded when it is needed: most workers run commands.
 */
export async function openModel(name: string, endpoint: ModelAccess): Promise<OpenModel> {
  const life = new SignsOfLife();
  if (/^(anthropic\/|claude)/.test(name)) {
    const { createAnthropic } = await import('@ai-sdk/anthropic');
    const provider = createAnthropic({
      baseURL: `${endpoint.anthropic}/v1`,
      apiKey: endpoint.token,
      fetch: life.fetch,
    });
    return { language: provider.languageModel(name.replace(/^anthropic\//, '')), life };
  }
  const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
  const provider = createOpenAICompatible({
    name: 'openai',
    baseURL: endpoint.openai,
    apiKey: endpoint.token,
    includeUsage: true,
    fetch: life.fetch,
  });
  return { language: provider.chatModel(name.replace(/^openai\//, '')), life };
}
