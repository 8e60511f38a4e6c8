/**
 * Plays the model for real agents, on the loopback and on a unix socket: Anthropic Messages, OpenAI chat completions and
 * responses, Gemini; streaming or not; with faults.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { answerAnthropic } from './answer-anthropic.ts';
import { answerChat } from './answer-chat.ts';
import { answerGemini } from './answer-gemini.ts';
import { answerResponses } from './answer-responses.ts';
import { makingOf, type Answer, type Making } from './answer.ts';
import { decide, scenarioOf, type Decision } from './decide.ts';
import { formOf, viewOf, type RequestForm } from './request-view.ts';
import type { Script } from './script.ts';

/** One request for an answer of the model, as it came. */
export interface ModelRequest {
  readonly atMs: number;
  readonly form: RequestForm;
  readonly scenario: string;
  /** Which step it was answered with; undefined for a side request. */
  readonly step: number | undefined;
  readonly status: number;
  readonly model: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface ModelServer {
  /** Of the loopback; `/s/<name>` after it picks a scenario. */
  readonly url: string;
  readonly requests: readonly ModelRequest[];
  /** When each request came, by the server's clock; also those that are not for an answer of the model. */
  readonly arrivals: readonly number[];
  /** Requests being answered in this moment, and the most there were. */
  readonly inFlight: { readonly now: number; readonly most: number };
  close(): Promise<void>;
}

export interface ModelServerOptions {
  readonly script: Script;
  /** A unix socket to listen on too, such as a sandbox reaches. */
  readonly socket?: string;
  /** Its clock; by default the machine's. */
  readonly now?: () => number;
}

const makers: Readonly<Record<RequestForm, (making: Making) => Answer>> = {
  anthropic: answerAnthropic,
  chat: answerChat,
  responses: answerResponses,
  gemini: answerGemini,
};

export async function openModelServer(options: ModelServerOptions): Promise<ModelServer> {
  const model = new ScriptedModel(options.script, options.now ?? Date.now);
  const onLoopback = createServer(model.listener);
  onLoopback.listen(0, '127.0.0.1');
  const servers = [onLoopback];
  if (options.socket !== undefined) servers.push(createServer(model.listener).listen(options.socket));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const { port } = onLoopback.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests: model.requests,
    arrivals: model.arrivals,
    inFlight: model.inFlight,
    close: async () => void (await Promise.all(servers.map(closeServer))),
  };
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

class ScriptedModel {
  readonly requests: ModelRequest[] = [];
  readonly arrivals: number[] = [];
  readonly inFlight = { now: 0, most: 0 };
  private readonly script: Script;
  private readonly now: () => number;
  /** Faults that have happened, by scenario and step. */
  private readonly faults = new Map<string, number>();

  constructor(script: Script, now: () => number) {
    this.script = script;
    this.now = now;
  }

  readonly listener = (request: IncomingMessage, response: ServerResponse): void => {
    this.arrivals.push(this.now());
    this.inFlight.now += 1;
    this.inFlight.most = Math.max(this.inFlight.most, this.inFlight.now);
    response.once('close', () => (this.inFlight.now -= 1));
    this.serve(request, response).catch((error: unknown) => {
      sendJson(response, { error: { message: `the scripted model: ${String(error)}` } }, 400);
    });
  };

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const { pathname } = new URL(request.url ?? '/', 'http://model');
    const prefixed = /^\/s\/([^/]+)(\/.*)$/.exec(pathname);
    const named = prefixed?.[1] === undefined ? undefined : decodeURIComponent(prefixed[1]);
    const path = prefixed?.[2] ?? pathname;
    const form = request.method === 'POST' ? formOf(path) : undefined;
    if (form === undefined) {
      sendOther(path, response);
      return;
    }
    const parsed: unknown = JSON.parse(body);
    const scenario = scenarioOf(this.script, named, body);
    const decision = decide(this.script[scenario] ?? [], viewOf(form, parsed), body);
    const fails = this.takeFault(scenario, decision);
    const { step } = decision;
    const status = fails ? (step?.status ?? 200) : 200;
    const { model = 'scripted', stream = false } = parsed as { model?: string; stream?: boolean };
    const { headers } = request;
    const atMs = this.now();
    this.requests.push({ atMs, form, scenario, step: decision.at, status, model, headers, body });
    if (step?.delayMs !== undefined) await pause(step.delayMs);
    if (status !== 200) {
      sendStatus(response, status, step?.retryAfterSeconds);
      return;
    }
    const id = `x${this.requests.length.toString(36)}${Date.now().toString(36)}`;
    const isMalformed = fails && step?.malformed === true;
    const answer = makers[form](makingOf(decision, { id, model, isMalformed }));
    const isStream = form === 'gemini' ? /stream/i.test(path) : stream;
    if (isStream) sendPieces(response, answer.pieces, fails ? step?.cutAfter : undefined);
    else sendJson(response, answer.whole);
  }

  /** Whether the fault of a step happens this time. */
  private takeFault(scenario: string, { step, at }: Decision): boolean {
    const isFaulty = step?.status !== undefined || step?.cutAfter !== undefined || step?.malformed === true;
    if (!isFaulty) return false;
    const key = `${scenario} ${at}`;
    const count = this.faults.get(key) ?? 0;
    this.faults.set(key, count + 1);
    return count < (step.times ?? 1);
  }
}

function sendStatus(response: ServerResponse, status: number, retryAfterSeconds: number | undefined): void {
  if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(retryAfterSeconds));
  const type = status === 429 ? 'rate_limit_error' : status === 529 ? 'overloaded_error' : 'api_error';
  sendJson(response, { type: 'error', error: { type, message: `scripted ${status}` } }, status);
}

function sendPieces(response: ServerResponse, pieces: readonly string[], cutAfter: number | undefined): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  for (const piece of pieces.slice(0, cutAfter)) response.write(piece);
  if (cutAfter === undefined) response.end();
  // What was written has to leave first, or nothing of the stream would be seen at all.
  else response.write('', () => response.destroy());
}

/** What agents ask beside: whether the server is there, how long a prompt is, which models there are. */
function sendOther(path: string, response: ServerResponse): void {
  if (path.endsWith('/count_tokens')) sendJson(response, { input_tokens: 100 });
  else if (path.endsWith(':countTokens')) sendJson(response, { totalTokens: 100 });
  else if (/\/models(?:\/[^/]*)?$/.test(path)) sendJson(response, modelList);
  else if (path === '/') sendJson(response, {});
  else
    sendJson(response, { error: { message: `the scripted model has no ${path}`, type: 'not_found' } }, 404);
}

const modelList = {
  object: 'list',
  data: [
    {
      id: 'scripted',
      object: 'model',
      created: 0,
      owned_by: 'local',
      type: 'model',
      display_name: 'scripted',
    },
  ],
  has_more: false,
};

function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}
