/**
 * Our own loop over a model: ask, do what it calls, tell it what came of that, until it completes, asks, or cannot go on.
 *
 * Invariants:
 * 1. Every call of a turn is answered before the model is asked again, also those that cannot be read.
 * 2. The loop ends: by its turns, by mistakes in a row, by its signal.
 * 3. Nothing is done but through the toolbox.
 */
import type { ErrorCode, Failure } from '@switchyard/protocol';
import type { Clock, Random } from '@switchyard/runtime';
import type { AgentEvent } from '../agent-event.ts';
import { failure } from '../failure-of.ts';
import type { Toolbox, ToolOutcome } from '../tools/toolbox.ts';
import { askModel, ModelError, type ModelTurn, type RawCall } from './ask-model.ts';
import { Conversation, type CallResult } from './conversation.ts';
import type { LlmLimits } from './llm-limits.ts';
import { MistakeCount } from './mistake-count.ts';
import type { OpenModel } from './open-model.ts';

/** How the loop ended. */
export type LoopEnd =
  | { readonly kind: 'completed'; readonly summary: string; readonly lastWords: string }
  | { readonly kind: 'escalated'; readonly reason: string; readonly attemptedSolutions: readonly string[] }
  | { readonly kind: 'failed'; readonly failure: Failure };

export interface LoopOptions {
  readonly model: OpenModel;
  readonly toolbox: Toolbox;
  /** Who the agent is, and by which rules. */
  readonly system: string;
  /** What it is to do. */
  readonly task: string;
  readonly limits: LlmLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly event: (event: AgentEvent) => void;
  /** Where the work stands, one line for people. */
  readonly progress: (line: string) => void;
}

/** Runs the loop to its end. Rejects with the signal's reason, and for bugs. */
export async function runLoop(options: LoopOptions): Promise<LoopEnd> {
  const loop = new Loop(options);
  return loop.run();
}

interface Read {
  readonly call: RawCall;
  /** Names the call in the transcript. */
  readonly name: string;
  readonly input: unknown;
  readonly isReadable: boolean;
}

class Loop {
  private readonly options: LoopOptions;
  private readonly conversation: Conversation;
  private readonly mistakes: MistakeCount;
  private turns = 0;
  private words = '';

  constructor(options: LoopOptions) {
    this.options = options;
    const { system, task, limits } = options;
    this.conversation = new Conversation(system, task, limits);
    this.mistakes = new MistakeCount(limits);
  }

  async run(): Promise<LoopEnd> {
    const { limits, event, task } = this.options;
    event({ kind: 'prompt', text: task });
    while (this.turns < limits.turns) {
      this.turns += 1;
      const turn = await this.ask();
      if ('failure' in turn) return { kind: 'failed', failure: turn.failure };
      this.tell(turn);
      const end = await this.answer(turn);
      if (end !== undefined) return end;
      if (this.mistakes.isOver) return { kind: 'failed', failure: this.stuck() };
    }
    return {
      kind: 'failed',
      failure: failure('E_AGENT_STUCK', `the agent did not complete within ${limits.turns} turns`, {
        outputTail: this.words,
      }),
    };
  }

  /** One turn of the model; a request that is too long is made shorter, a few times. */
  private async ask(): Promise<ModelTurn | { readonly failure: Failure }> {
    for (let tightened = 0; ; tightened += 1) {
      this.makeRoom();
      try {
        const turn = await askModel(this.conversation.prompt(), {
          ...this.options,
          tools: this.options.toolbox.tools,
          onText: this.lineTeller(),
          note: (text) => this.note(text),
        });
        if (turn.inputTokens !== undefined) this.conversation.counted(turn.inputTokens);
        return turn;
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        if (error.trouble.kind !== 'too-long' || tightened >= 4) return { failure: failureOfModel(error) };
        this.conversation.tighten();
      }
    }
  }

  private makeRoom(): void {
    const left = this.conversation.makeRoom();
    if (left === undefined) return;
    const { results, inputs, turns } = left;
    this.note(`made room: ${results} results and ${inputs} calls shortened, ${turns} turns left out`);
  }

  private note(text: string): void {
    this.options.event({ kind: 'note', text });
  }

  /** Whole lines of what the model says, as they come. */
  private lineTeller(): (delta: string) => void {
    let line = '';
    return (delta) => {
      line += delta;
      const end = line.lastIndexOf('\n');
      if (end < 0) return;
      const whole = line.slice(0, end).trimEnd().split('\n').at(-1)?.trim() ?? '';
      line = line.slice(end + 1);
      if (whole !== '') this.options.progress(whole.slice(0, 500));
    };
  }

  private tell({ text, thought }: ModelTurn): void {
    const { event } = this.options;
    if (thought.trim() !== '') event({ kind: 'thought', text: thought });
    if (text.trim() === '') return;
    this.words = text;
    event({ kind: 'message', text });
  }

  /** Does what the turn calls, and answers every call. */
  private async answer(turn: ModelTurn): Promise<LoopEnd | undefined> {
    const calls = turn.calls.map((call, index) => readCall(call, `${this.turns}.${index + 1}`));
    this.conversation.addTurn(
      turn.text,
      calls.map(({ call, input }) => ({ id: call.id, tool: call.tool, input })),
    );
    if (calls.length === 0) {
      this.mistakes.count();
      this.conversation.addWords(noCall);
      return undefined;
    }
    const outcomes = await this.perform(calls, turn.isCutShort);
    // By turns, not by calls: of those that were made at once, none could learn from another.
    if (outcomes.every(({ kind }) => kind === 'error')) this.mistakes.count();
    else this.mistakes.clear();
    const end = outcomes.find((outcome) => outcome.kind === 'completed' || outcome.kind === 'escalated');
    if (end?.kind === 'escalated') return end;
    const hasFailed = outcomes.some((outcome) => outcome.kind === 'error');
    if (end?.kind === 'completed' && !hasFailed)
      return { ...end, lastWords: this.words === '' ? end.summary : this.words };
    this.conversation.addResults(calls.map((read, index) => resultOf(read, outcomes[index])));
    return undefined;
  }

  /** In the order of the calls; those beside each other that change nothing at the same time. */
  private async perform(calls: readonly Read[], isCutShort: boolean): Promise<ToolOutcome[]> {
    const outcomes: ToolOutcome[] = [];
    const { tools } = this.options.toolbox;
    const isParallel = ({ call }: Read) => tools.find(({ name }) => name === call.tool)?.isParallel === true;
    for (let at = 0; at < calls.length;) {
      let end = at + 1;
      if (calls.slice(at, end).every(isParallel))
        while (end < calls.length && calls.slice(end, end + 1).every(isParallel)) end += 1;
      const together = calls.slice(at, end).map((read, index) => this.one(read, at + index, isCutShort));
      outcomes.push(...(await Promise.all(together)));
      at = end;
    }
    return outcomes;
  }

  private async one(read: Read, index: number, isCutShort: boolean): Promise<ToolOutcome> {
    const { event, limits } = this.options;
    const { call, name, input } = read;
    const told = { kind: 'tool-call', id: name, title: call.tool.slice(0, 100) } as const;
    event({ ...told, status: 'running', input });
    const outcome =
      index >= limits.callsPerTurn
        ? mistake(
            'E_TOOL_INPUT',
            `More than ${limits.callsPerTurn} calls in one turn; the rest was not done.`,
          )
        : await this.outcomeOf(read, isCutShort);
    const output = outcomeText(outcome);
    event({ ...told, status: outcome.kind === 'error' ? 'failed' : 'completed', output });
    if (outcome.kind === 'error') this.tellRefusal(read, outcome.code, outcome.text);
    return outcome;
  }

  private async outcomeOf({ call, input, isReadable }: Read, isCutShort: boolean): Promise<ToolOutcome> {
    if (!isReadable) {
      const why = isCutShort ? ' They were cut at the limit of one answer: write less at a time.' : '';
      return mistake('E_TOOL_INPUT', `The arguments of ${call.tool} are no JSON object.${why}`);
    }
    if (this.mistakes.isRepeated(call.tool, call.json))
      return mistake('E_TOOL_INPUT', 'You made this very call before, several times. Do something else.');
    return this.options.toolbox.call(call.tool, input);
  }

  /** What an agent asked for and may not have is an event of its own. */
  private tellRefusal({ call, input }: Read, code: ErrorCode, text: string): void {
    if (!refusals.has(code)) return;
    const path = placeOf(input);
    this.options.event({
      kind: 'denied',
      what: path === undefined ? call.tool.slice(0, 100) : `${call.tool.slice(0, 100)} ${path}`,
      code,
      reason: text.replace(`${code}: `, ''),
    });
  }

  private stuck(): Failure {
    return failure(
      'E_AGENT_STUCK',
      `the agent did nothing but mistakes for ${this.mistakes.inARow} turns in a row, after ${this.turns} turns; its transcript has each`,
      { outputTail: this.words },
    );
  }
}

/** Codes that say that something was held, not that something was wrong. */
const refusals: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'E_OUTSIDE_WORKSPACE',
  'E_READ_ONLY',
  'E_PROTECTED',
  'E_DENIED',
  'E_TOOL_DENIED',
  'E_SANDBOX_UNAVAILABLE',
]);

const noCall =
  'You called no tool, so nothing happened. Go on with a tool, and end with the tool that your rules name for that.';

function readCall(call: RawCall, name: string): Read {
  try {
    // Nothing at all is how some models spell a call without arguments.
    const input: unknown = call.json.trim() === '' ? {} : JSON.parse(call.json);
    const isReadable = typeof input === 'object' && input !== null && !Array.isArray(input);
    return { call, name, input, isReadable };
  } catch {
    // The model is told, by the answer to the call.
    return { call, name, input: call.json.slice(0, 1_000), isReadable: false };
  }
}

function mistake(code: ErrorCode, text: string): ToolOutcome {
  return { kind: 'error', code, text: `${code}: ${text}` };
}

function outcomeText(outcome: ToolOutcome): string {
  switch (outcome.kind) {
    case 'answer':
    case 'error':
      return outcome.text;
    case 'completed':
      return outcome.summary;
    case 'escalated':
      return outcome.reason;
  }
}

function resultOf({ call }: Read, outcome: ToolOutcome | undefined): CallResult {
  const { id, tool } = call;
  if (outcome?.kind === 'completed')
    return {
      id,
      tool,
      isError: true,
      text: 'Not completed: another call of this turn failed. See to that first.',
    };
  if (outcome === undefined) return { id, tool, isError: true, text: 'It was not done.' };
  return { id, tool, isError: outcome.kind === 'error', text: outcomeText(outcome) };
}

/** The path, or the command, that a call was about. */
function placeOf(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null) return undefined;
  const found = ['path', 'from', 'command', 'workspacePath']
    .map((key) => (input as Readonly<Record<string, unknown>>)[key])
    .find((value) => typeof value === 'string');
  return found?.slice(0, 300);
}

function failureOfModel({ trouble }: ModelError): Failure {
  const known = trouble.kind === 'too-long' ? 'logic' : trouble.class;
  const waits =
    trouble.kind === 'retry' ? trouble.afterMs : trouble.kind === 'stop' ? trouble.retryAfterMs : undefined;
  return {
    ...failure('E_MODEL', trouble.message, { class: known }),
    ...(waits !== undefined && { retryAfterMs: waits }),
  };
}
