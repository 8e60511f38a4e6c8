import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A call of the model: `json` in place of arguments that are an object. */
export interface SaidCall {
  readonly tool: string;
  readonly input?: unknown;
  readonly json?: string;
}

/** One answer of the model. */
export interface Said {
  readonly words?: string;
  readonly calls?: readonly SaidCall[];
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The connection breaks in the middle of the answer, or ends there as if that were all. */
  readonly isCut?: boolean | 'politely';
  /** Nothing is answered, and the connection stays. */
  readonly isSilent?: boolean;
  /** Before the answer, as a gateway shows life while it holds a request: gets a function that sends a comment. */
  readonly hold?: (showLife: () => void) => Promise<void>;
  readonly inputTokens?: number;
  readonly stop?: string;
}

export interface Heard {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A model on the loopback that says what a test tells it, in the form that it is asked in; always streaming. */
export class ModelDesk {
  readonly heard: Heard[] = [];
  private readonly server: Server;
  private readonly answer: (heard: Heard, index: number) => Said;

  private constructor(answer: (heard: Heard, index: number) => Said) {
    this.answer = answer;
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  /** Says these one after the other, and the last again and again; or what a function makes of the request. */
  static async open(script: readonly Said[] | ((heard: Heard, index: number) => Said)): Promise<ModelDesk> {
    const answer = (heard: Heard, index: number): Said =>
      typeof script === 'function'
        ? script(heard, index)
        : (script[Math.min(index, script.length - 1)] ?? {});
    const desk = new ModelDesk(answer);
    await new Promise<void>((resolve) => desk.server.listen(0, '127.0.0.1', resolve));
    return desk;
  }

  get endpoint() {
    const at = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return { anthropic: at, openai: `${at}/v1`, gemini: at, token: 'of-this-attempt' };
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const heard = { path: request.url ?? '', headers: request.headers, body: await text(request) };
    this.heard.push(heard);
    const said = this.answer(heard, this.heard.length - 1);
    if (said.isSilent === true) return;
    if (said.status !== undefined) {
      response.writeHead(said.status, { 'content-type': 'application/json', ...said.headers });
      response.end(
        said.body ?? JSON.stringify({ type: 'error', error: { type: 'api_error', message: 'scripted' } }),
      );
      return;
    }
    const id = this.heard.length;
    const events = heard.path.endsWith('/messages') ? anthropic(said, id) : chat(said, id);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    await said.hold?.(() => response.write(': held\n\n'));
    const sent = (said.isCut ?? false) !== false ? events.slice(0, Math.ceil(events.length / 2)) : events;
    for (const event of sent) response.write(event);
    if (said.isCut === true) response.write('', () => response.destroy());
    else response.end();
  }
}

const argumentsOf = ({ input = {}, json }: SaidCall): string => json ?? JSON.stringify(input);
const inTwo = (whole: string): string[] => [
  whole.slice(0, whole.length >> 1),
  whole.slice(whole.length >> 1),
];

function anthropic({ words, calls = [], inputTokens = 100, stop }: Said, id: number): string[] {
  const event = (type: string, fields: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const usage = { input_tokens: inputTokens, output_tokens: 1 };
  const message = {
    id: `msg_${id}`,
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  };
  const events = [event('message_start', { message })];
  let index = 0;
  if (words !== undefined) {
    events.push(event('content_block_start', { index, content_block: { type: 'text', text: '' } }));
    for (const part of inTwo(words))
      events.push(event('content_block_delta', { index, delta: { type: 'text_delta', text: part } }));
    events.push(event('content_block_stop', { index }));
    index += 1;
  }
  for (const call of calls) {
    const block = { type: 'tool_use', id: `toolu_${id}_${index}`, name: call.tool, input: {} };
    events.push(event('content_block_start', { index, content_block: block }));
    for (const part of inTwo(argumentsOf(call)))
      events.push(
        event('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: part } }),
      );
    events.push(event('content_block_stop', { index }));
    index += 1;
  }
  const reason = stop ?? (calls.length > 0 ? 'tool_use' : 'end_turn');
  events.push(
    event('message_delta', {
      delta: { stop_reason: reason, stop_sequence: null },
      usage: { output_tokens: 20 },
    }),
  );
  events.push(event('message_stop', {}));
  return events;
}

function chat({ words, calls = [], inputTokens = 100, stop }: Said, id: number): string[] {
  const data = (fields: object) =>
    `data: ${JSON.stringify({ id: `c${id}`, created: 1, model: 'm', object: 'chat.completion.chunk', ...fields })}\n\n`;
  const delta = (fields: object, finish: string | null = null) =>
    data({ choices: [{ index: 0, delta: fields, finish_reason: finish }] });
  const events = [delta({ role: 'assistant', content: '' })];
  for (const part of words === undefined ? [] : inTwo(words)) events.push(delta({ content: part }));
  for (const [index, call] of calls.entries()) {
    const head = {
      index,
      id: `call_${id}_${index}`,
      type: 'function',
      function: { name: call.tool, arguments: '' },
    };
    events.push(delta({ tool_calls: [head] }));
    for (const part of inTwo(argumentsOf(call)))
      events.push(delta({ tool_calls: [{ index, function: { arguments: part } }] }));
  }
  events.push(delta({}, stop ?? (calls.length > 0 ? 'tool_calls' : 'stop')));
  const usage = { prompt_tokens: inputTokens, completion_tokens: 20, total_tokens: inputTokens + 20 };
  return [...events, data({ choices: [], usage }), 'data: [DONE]\n\n'];
}
