/** What a scripted model does, in words that fit any agent; each is bound to the tools the agent offers. */
export type Step = Action & Fault;

type Action =
  /** A relative path starts at the agent's working directory, as its request tells it. */
  | { readonly write: { readonly path: string; readonly content: string } }
  | { readonly read: { readonly path: string } }
  | { readonly shell: string }
  /** A tool by its own name. */
  | { readonly tool: string; readonly args?: Readonly<Record<string, unknown>> }
  /** Says something; the last step of a scenario ends the agent's turn with it. */
  | { readonly text: string };

/** What goes wrong at a step before it is answered well. */
export interface Fault {
  readonly delayMs?: number;
  /** An HTTP status such as 429, 500 or 529. */
  readonly status?: number;
  /** Sent as `retry-after` with the status. */
  readonly retryAfterSeconds?: number;
  /** The stream is cut after so many of its pieces. */
  readonly cutAfter?: number;
  /** The arguments of the tool call are no JSON. */
  readonly malformed?: boolean;
  /** How often it goes wrong; default once. */
  readonly times?: number;
  /** Signs in one piece of a stream. */
  readonly chunk?: number;
  readonly usage?: Usage;
}

export interface Usage {
  readonly input: number;
  readonly output: number;
  readonly cached?: number;
}

/** Scenarios by name. `/s/<name>` before the path picks one, else `Task: <name>` in the request, else `default`. */
export type Script = Readonly<Record<string, readonly Step[]>>;

export const defaultUsage: Usage = { input: 100, output: 20 };

/** A tool as the agent offers it. */
export interface OfferedTool {
  readonly name: string;
  readonly properties: Readonly<Record<string, Property>>;
  readonly required: readonly string[];
  /** Takes a text in place of arguments. */
  readonly freeform: boolean;
  /** Where the form groups tools: `mcp__loud` of the tool `mcp__loud__shout`. */
  readonly namespace?: string;
}

export interface Property {
  readonly type?: unknown;
  readonly enum?: readonly unknown[] | undefined;
}

/** What the model calls; `input` is the text of a freeform tool. */
export type ToolCall =
  | { readonly name: string; readonly args: Readonly<Record<string, unknown>>; readonly namespace?: string }
  | { readonly name: string; readonly input: string };

/** What is answered: a call, or words. */
export interface Reply {
  readonly call?: ToolCall;
  readonly text: string;
  readonly step: Step | undefined;
}
