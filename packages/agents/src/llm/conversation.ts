import type { JSONValue, LanguageModelV3Message, LanguageModelV3Prompt } from '@ai-sdk/provider';
import { llmLimits, type LlmLimits } from './llm-limits.ts';

/** A call as the model made it. */
export interface ModelCall {
  /** The model's own name of the call; its result carries the same. */
  readonly id: string;
  readonly tool: string;
  /** As it was read; of one that could not be read, what was there. */
  readonly input: unknown;
}

export interface CallResult {
  readonly id: string;
  readonly tool: string;
  readonly text: string;
  readonly isError: boolean;
}

/** What was left out to make room. */
export interface Shortened {
  readonly results: number;
  readonly inputs: number;
  readonly turns: number;
}

type Entry =
  | { readonly kind: 'user'; text: string }
  | { readonly kind: 'assistant'; readonly text: string; calls: readonly ModelCall[] }
  | { readonly kind: 'results'; results: readonly CallResult[] };

/**
 * What was said so far, kept within a number of tokens. Room is made by what hurts least: old results are shortened
 * first, then what old calls wrote, and then whole old turns go; the task itself and the newest results stay.
 */
export class Conversation {
  private readonly system: string;
  private readonly limits: Pick<LlmLimits, 'contextTokens' | 'shortenedChars' | 'freshResults'>;
  private readonly entries: Entry[];
  private tokensMax: number;
  /** Tokens for a character, corrected by what the model counts. */
  private tokensPerChar = 0.3;
  private droppedTurns = 0;

  constructor(
    system: string,
    task: string,
    limits: Pick<LlmLimits, 'contextTokens' | 'shortenedChars' | 'freshResults'> = llmLimits,
  ) {
    this.system = system;
    this.limits = limits;
    this.tokensMax = limits.contextTokens;
    this.entries = [{ kind: 'user', text: task }];
  }

  addTurn(text: string, calls: readonly ModelCall[]): void {
    this.entries.push({ kind: 'assistant', text, calls });
  }

  addResults(results: readonly CallResult[]): void {
    this.entries.push({ kind: 'results', results });
  }

  /** Words to the model that answer no call. */
  addWords(text: string): void {
    this.entries.push({ kind: 'user', text });
  }

  /** By estimate; exact only when the model has counted. */
  get tokens(): number {
    return Math.ceil(this.chars() * this.tokensPerChar);
  }

  /** What the model counted for the prompt as it stands: later estimates go by it. */
  counted(inputTokens: number): void {
    const chars = this.chars();
    if (inputTokens <= 0 || chars < 1_000) return;
    this.tokensPerChar = Math.min(1.5, Math.max(0.2, inputTokens / chars));
  }

  /** The model takes less than was thought: from now on a quarter less than what this is. */
  tighten(): void {
    this.tokensMax = Math.floor(Math.min(this.tokensMax, this.tokens) * 0.75);
  }

  /** Makes room until the limit is kept; nothing when it is kept already. */
  makeRoom(): Shortened | undefined {
    if (this.tokens <= this.tokensMax) return undefined;
    const results = this.shortenResults();
    const inputs = this.shortenInputs();
    const turns = this.dropTurns();
    return { results, inputs, turns };
  }

  /** As the model is sent it; the places where a cache may end are marked for those that have one. */
  prompt(): LanguageModelV3Prompt {
    const dropped =
      this.droppedTurns === 0 ? '' : `\n\n[${this.droppedTurns} earlier turns were left out to make room.]`;
    const messages = this.entries.map((entry, index) => messageOf(entry, index === 0 ? dropped : ''));
    const last = messages.at(-1);
    return [
      { role: 'system', content: this.system, providerOptions: cached },
      ...messages.slice(0, -1),
      ...(last === undefined ? [] : [{ ...last, providerOptions: cached }]),
    ];
  }

  private chars(): number {
    return this.entries.reduce((sum, entry) => sum + charsOf(entry), this.system.length);
  }

  private isOver(): boolean {
    return this.tokens > this.tokensMax;
  }

  private shortenResults(): number {
    const { shortenedChars, freshResults } = this.limits;
    const all = this.entries.filter((entry) => entry.kind === 'results');
    let count = 0;
    for (const entry of all.slice(0, Math.max(0, all.length - freshResults))) {
      if (!this.isOver()) break;
      entry.results = entry.results.map((result) => {
        if (result.text.length <= shortenedChars * 2) return result;
        count += 1;
        return { ...result, text: cut(result.text, shortenedChars) };
      });
    }
    return count;
  }

  private shortenInputs(): number {
    const { shortenedChars, freshResults } = this.limits;
    const all = this.entries.filter((entry) => entry.kind === 'assistant');
    let count = 0;
    for (const entry of all.slice(0, Math.max(0, all.length - freshResults))) {
      if (!this.isOver()) break;
      entry.calls = entry.calls.map((call) => {
        const input = shortenStrings(call.input, shortenedChars);
        if (input !== call.input) count += 1;
        return { ...call, input };
      });
    }
    return count;
  }

  /** A turn goes with all that answers it, or the model would be told of calls that it never made. */
  private dropTurns(): number {
    const before = this.droppedTurns;
    while (this.isOver() && this.entries.length > 3) {
      const next = this.entries.findIndex((entry, index) => index > 1 && entry.kind === 'assistant');
      if (next < 0) break;
      this.entries.splice(1, next - 1);
      this.droppedTurns += 1;
    }
    return this.droppedTurns - before;
  }
}

/** Anthropic's; other providers do not look at it. */
const cached = { anthropic: { cacheControl: { type: 'ephemeral' } } };

function charsOf(entry: Entry): number {
  switch (entry.kind) {
    case 'user':
      return entry.text.length;
    case 'assistant':
      return entry.calls.reduce(
        (sum, call) => sum + JSON.stringify(call.input ?? {}).length + 50,
        entry.text.length,
      );
    case 'results':
      return entry.results.reduce((sum, { text }) => sum + text.length + 50, 0);
  }
}

function cut(text: string, chars: number): string {
  return `${text.slice(0, chars)}\n[… ${text.length - chars} characters were left out to make room; call the tool again if you need them]`;
}

/** The same value when no text of it is long. */
function shortenStrings(input: unknown, chars: number): unknown {
  if (typeof input !== 'object' || input === null) return input;
  const entries = Object.entries(input);
  if (!entries.some(([, value]) => typeof value === 'string' && value.length > chars * 2)) return input;
  return Object.fromEntries(
    entries.map(([key, value]) => [
      key,
      typeof value === 'string' && value.length > chars * 2 ? cut(value, chars) : (value as unknown),
    ]),
  );
}

function messageOf(entry: Entry, suffix: string): LanguageModelV3Message {
  switch (entry.kind) {
    case 'user':
      return { role: 'user', content: [{ type: 'text', text: entry.text + suffix }] };
    case 'assistant':
      return {
        role: 'assistant',
        content: [
          // A model refuses an empty text, and a turn without anything.
          ...(entry.text.trim() === '' && entry.calls.length > 0
            ? []
            : [{ type: 'text' as const, text: entry.text.trim() || '…' }]),
          ...entry.calls.map(({ id, tool, input }) => ({
            type: 'tool-call' as const,
            toolCallId: id,
            toolName: tool,
            input: objectOf(input),
          })),
        ],
      };
    case 'results':
      return {
        role: 'tool',
        content: entry.results.map(({ id, tool, text, isError }) => ({
          type: 'tool-result' as const,
          toolCallId: id,
          toolName: tool,
          output: { type: isError ? ('error-text' as const) : ('text' as const), value: text },
        })),
      };
  }
}

/** Providers take objects only. */
function objectOf(input: unknown): JSONValue {
  const isObject = typeof input === 'object' && input !== null && !Array.isArray(input);
  return isObject
    ? (input as JSONValue)
    : { unreadable: typeof input === 'string' ? input : JSON.stringify(input).slice(0, 1_000) };
}
