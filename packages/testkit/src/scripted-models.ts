import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One answer of the scripted provider. */
export interface ModelAnswer {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of an error. */
  readonly message?: string;
  readonly text?: string;
  readonly tokens?: { readonly input: number; readonly cached?: number; readonly output: number };
  /** The connection ends before the first byte of the answer, or in its middle. */
  readonly cut?: 'before' | 'within';
  /** Answered when this resolves. */
  readonly after?: Promise<unknown>;
}

export interface ModelRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, unknown>>;
  readonly at: number;
}

/** A provider of models on the loopback that speaks all forms, streaming or not, and answers as it is told. */
export class ScriptedModels {
  readonly requests: ModelRequest[] = [];
  readonly url: string;
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
    const { port } = server.address() as AddressInfo; // it listens on a port
    this.url = `http://127.0.0.1:${port}`;
  }

  /** `answer` is asked with each request; `now` dates them. */
  static async start(
    answer: (request: ModelRequest, index: number) => ModelAnswer = () => ({}),
    now: () => number = () => Date.now(),
  ): Promise<ScriptedModels> {
    const server = createServer((incoming, response) => {
      void receive(incoming).then(({ path, headers, body }) => {
        const request = { path, headers, body, at: now() };
        models.requests.push(request);
        return send(response, request, answer(request, models.requests.length - 1));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const models = new ScriptedModels(server);
    return models;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

async function receive(incoming: IncomingMessage): Promise<Omit<ModelRequest, 'at'>> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  return { path: incoming.url ?? '/', headers: incoming.headers, body };
}

async function send(response: ServerResponse, request: ModelRequest, answer: ModelAnswer): Promise<void> {
  await answer.after;
  if (answer.cut === 'before') return void response.destroy();
  const { status = 200, headers = {} } = answer;
  if (status >= 400) {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    return void response.end(JSON.stringify({ error: { message: answer.message ?? 'no', type: 'error' } }));
  }
  const { isEvents, parts } = rendered(request, answer);
  response.writeHead(200, {
    'content-type': isEvents ? 'text/event-stream' : 'application/json',
    ...headers,
  });
  for (const [index, part] of parts.entries()) {
    response.write(part);
    if (answer.cut === 'within' && index === Math.floor(parts.length / 2)) {
      await new Promise((resolve) => setImmediate(resolve));
      return void response.destroy();
    }
  }
  response.end();
}

interface Rendered {
  readonly isEvents: boolean;
  readonly parts: readonly string[];
}

function rendered(request: ModelRequest, { text = 'hello', tokens }: ModelAnswer): Rendered {
  const { input, cached = 0, output } = tokens ?? { input: 100, output: 20 };
  const said = { text, input, cached, output };
  if (request.path.includes(':')) return gemini(request, said);
  const isStream = request.body['stream'] === true;
  if (request.path.endsWith('/messages')) return anthropic(isStream, said);
  if (request.path.endsWith('/responses')) return responses(isStream, said);
  if (request.path.endsWith('/chat/completions')) return chat(request, isStream, said);
  return { isEvents: false, parts: [JSON.stringify({ data: [] })] };
}

interface Said {
  readonly text: string;
  readonly input: number;
  readonly cached: number;
  readonly output: number;
}

const json = (value: unknown): Rendered => ({ isEvents: false, parts: [JSON.stringify(value)] });
const named = (type: string, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const data = (value: unknown): string =>
  `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;

function anthropic(isStream: boolean, { text, input, cached, output }: Said): Rendered {
  const read = { input_tokens: input, cache_read_input_tokens: cached, cache_creation_input_tokens: 0 };
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', stop_reason: null };
  const content = [{ type: 'text', text }];
  if (!isStream)
    return json({ ...message, content, stop_reason: 'end_turn', usage: { ...read, output_tokens: output } });
  return {
    isEvents: true,
    parts: [
      named('message_start', { message: { ...message, content: [], usage: { ...read, output_tokens: 1 } } }),
      named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      named('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
      named('content_block_stop', { index: 0 }),
      named('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: output } }),
      named('message_stop', {}),
    ],
  };
}

function chat(request: ModelRequest, isStream: boolean, { text, input, cached, output }: Said): Rendered {
  const usage = {
    prompt_tokens: input + cached,
    completion_tokens: output,
    prompt_tokens_details: { cached_tokens: cached },
  };
  const base = { id: 'chatcmpl-1', created: 1, model: 'm' };
  const message = { role: 'assistant', content: text };
  if (!isStream)
    return json({
      ...base,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: 'stop' }],
      usage,
    });
  const chunk = (choices: object[], extra: object = {}): string =>
    data({ ...base, object: 'chat.completion.chunk', choices, ...extra });
  const options = request.body['stream_options'] as { include_usage?: boolean } | undefined;
  return {
    isEvents: true,
    parts: [
      chunk([{ index: 0, delta: message, finish_reason: null }]),
      chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]),
      ...(options?.include_usage === true ? [chunk([], { usage })] : []),
      data('[DONE]'),
    ],
  };
}

function responses(isStream: boolean, { text, input, cached, output }: Said): Rendered {
  const usage = {
    input_tokens: input + cached,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
  };
  const content = [{ type: 'output_text', text, annotations: [] }];
  const item = { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content };
  const response = {
    id: 'resp_1',
    object: 'response',
    model: 'm',
    status: 'completed',
    output: [item],
    usage,
  };
  if (!isStream) return json(response);
  return {
    isEvents: true,
    parts: [
      named('response.created', {
        response: { ...response, status: 'in_progress', output: [], usage: null },
      }),
      named('response.output_item.done', { output_index: 0, item }),
      named('response.completed', { response }),
    ],
  };
}

function gemini({ path }: ModelRequest, { text, input, cached, output }: Said): Rendered {
  const usageMetadata = {
    promptTokenCount: input + cached,
    cachedContentTokenCount: cached,
    candidatesTokenCount: output,
  };
  const chunk = {
    candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP' }],
    usageMetadata,
  };
  if (!path.includes(':stream')) return json(chunk);
  if (path.includes('alt=sse'))
    return { isEvents: true, parts: [data({ ...chunk, usageMetadata: undefined }), data(chunk)] };
  return { isEvents: false, parts: ['[', JSON.stringify(chunk), ',\n', JSON.stringify(chunk), ']'] };
}
