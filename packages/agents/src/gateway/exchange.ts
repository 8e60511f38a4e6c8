import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isAppError, messageOf, type Spender } from '@switchyard/protocol';
import { backoffMs, sleep, type Clock, type Logger, type Random } from '@switchyard/runtime';
import { AnswerTap, type Told } from './answer-tap.ts';
import { plainAnswer } from './plain-answer.ts';
import { microUsdFor, noTokens, type PriceBook, type Tokens } from './cost.ts';
import { errorBody } from './forms.ts';
import { HeldAnswer } from './held-answer.ts';
import type { Ledger } from './ledger.ts';
import type { Provider } from './models-file.ts';
import type { Permit, PermitSource, Want } from './permit-source.ts';
import { estimateTokens, type PreparedRequest } from './request-body.ts';
import { readRefusal } from './throttle.ts';
import type { Headers, Upstream } from './upstream.ts';

/** What all requests of an attempt share. */
export interface ExchangeContext {
  readonly attempt: Spender;
  readonly prices: PriceBook;
  readonly permits: PermitSource;
  readonly ledger: Ledger;
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Aborted when the attempt is over. */
  readonly signal: AbortSignal;
}

export interface ExchangeEnds {
  readonly provider: Provider;
  readonly request: PreparedRequest;
  readonly method: string;
  readonly headers: Headers;
  readonly response: ServerResponse;
}

/** How often a request is sent again that the provider failed at (5xx, no connection, a stream without a byte). */
const failuresMax = 5;
const backoff = { minMs: 500, maxMs: 15_000 } as const;
/** Of an answer that is an error, kept to be read and passed on. */
const errorBytesMax = 1024 * 1024;

/** How one try ended. */
type Tried =
  | { readonly kind: 'over' }
  /** The provider says later: the next permit comes when it may be asked again. */
  | { readonly kind: 'held' }
  | {
      readonly kind: 'failed';
      readonly status: number;
      readonly body: string;
      readonly headers?: Headers | undefined;
    };

/**
 * One request of an agent: held until it has a permit, sent with the key, held again while the provider says that it is
 * too much, sent again where the provider failed before it said a word, and counted from what it answered.
 */
export class Exchange {
  private readonly ends: ExchangeEnds;
  private readonly context: ExchangeContext;
  private readonly held: HeldAnswer;
  private readonly want: Want;
  private readonly signal: AbortSignal;

  constructor(ends: ExchangeEnds, context: ExchangeContext) {
    this.ends = ends;
    this.context = context;
    const { request, response } = ends;
    this.held = new HeldAnswer(response, request, context.clock);
    this.want = wantOf(request, context);
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the agent went away')));
    this.signal = AbortSignal.any([context.signal, gone.signal]);
  }

  /** Resolves when the agent has its answer, or is gone. */
  async carryOut(): Promise<void> {
    try {
      await this.tryUntilOver();
    } catch (error) {
      // What stands for good is not worth asking again.
      if (!this.signal.aborted) this.held.refuse(isAppError(error) ? 402 : 503, messageOf(error));
      else this.ends.response.destroy();
    } finally {
      this.held.stop();
    }
  }

  private async tryUntilOver(): Promise<void> {
    const { clock, random, logger } = this.context;
    for (let failures = 0; ;) {
      const permit = await this.context.permits.acquire(this.context.attempt, this.want, this.signal);
      const tried = await this.tryOnce(permit);
      if (tried.kind === 'over') return;
      if (tried.kind === 'held') continue;
      failures += 1;
      if (failures > failuresMax) return this.held.fail(tried.status, tried.body, tried.headers);
      const delayMs = backoffMs(failures - 1, backoff, random);
      logger.warn({ provider: this.want.provider, status: tried.status, delayMs }, 'a model request failed');
      await sleep(clock, delayMs, this.signal);
    }
  }

  private async tryOnce(permit: Permit): Promise<Tried> {
    if (this.signal.aborted) {
      permit.settle({ kind: 'unused' });
      this.signal.throwIfAborted();
    }
    const { provider, request, method, headers } = this.ends;
    let answer: IncomingMessage;
    try {
      answer = await this.context.upstream.send(provider, request, { method, headers, signal: this.signal });
    } catch (error) {
      // It may have been read and be billed, where the agent left; a connection that failed was not.
      this.count(permit, this.signal.aborted ? { tokens: undefined, bytes: 0 } : undefined);
      this.signal.throwIfAborted();
      return { kind: 'failed', status: 502, body: this.ownBody(502, `no answer: ${codeOf(error)}`) };
    }
    permit.arrived();
    return (answer.statusCode ?? 502) < 300 ? this.pass(answer, permit) : this.judge(answer, permit);
  }

  /** An error: waited out, tried again, or the agent's to know. */
  private async judge(answer: IncomingMessage, permit: Permit): Promise<Tried> {
    const { provider } = this.ends;
    const status = answer.statusCode ?? 502;
    const { body, headers } = plainAnswer(answer);
    const text = withoutKey(await readStart(body), provider);
    const refusal = readRefusal(status, headers, { text, now: this.context.clock.now() });
    if (refusal !== undefined) {
      permit.settle(refusal);
      return { kind: 'held' };
    }
    this.count(permit, undefined);
    if (status === 401 || status === 403) {
      this.context.logger.error({ provider: provider.name, status }, 'a provider refuses its key');
      const message = `${provider.name} refuses the key of this worker (${status})`;
      this.held.refuse(status, message);
      return { kind: 'over' };
    }
    if (status >= 500) return { kind: 'failed', status, body: text, headers };
    if (status < 400) this.sentElsewhere(status, headers);
    else this.held.fail(status, text, headers);
    return { kind: 'over' };
  }

  /** Nobody is followed: the key and what the agent asks are for the address that the operator named. */
  private sentElsewhere(status: number, { location }: Headers): void {
    const { provider, request } = this.ends;
    this.context.logger.warn(
      { provider: provider.name, status, location },
      'a provider sends its requests elsewhere, and nobody goes there',
    );
    this.held.refuse(
      502,
      `${provider.name} sends ${request.route.path} elsewhere (${status}); its address is set by baseUrl in the models file`,
    );
  }

  private async pass(answer: IncomingMessage, permit: Permit): Promise<Tried> {
    const tap = new AnswerTap(this.ends.request, String(answer.headers['content-type'] ?? ''));
    let isBegun = false;
    try {
      await firstByte(answer, this.signal);
      isBegun = true;
      const { body, headers } = plainAnswer(answer);
      if (!this.held.begin(answer.statusCode ?? 200, headers)) throw new Error('the answer has another form');
      await pipeline(body, tap, this.ends.response);
      return { kind: 'over' };
    } catch (error) {
      answer.destroy();
      this.signal.throwIfAborted();
      const text = `the answer was cut: ${codeOf(error)}`;
      if (!isBegun) return { kind: 'failed', status: 502, body: this.ownBody(502, text) };
      this.context.logger.warn({ provider: this.want.provider, reason: text }, 'a model request failed');
      this.ends.response.destroy();
      return { kind: 'over' };
    } finally {
      // An answer without a byte is not billed, unless its agent left before it came.
      this.count(permit, tap.told.bytes > 0 || this.signal.aborted ? tap.told : undefined);
    }
  }

  /** `told`: what came of an answer; undefined: nothing that is billed. */
  private count(permit: Permit, told: Told | undefined): void {
    const { provider, model } = this.want;
    const tokens = told === undefined ? noTokens : this.tokensOf(told);
    const { price } = this.context.prices.find(provider, model);
    this.context.ledger.add(this.context.attempt, {
      provider,
      model,
      inputTokens: tokens.input + tokens.cacheWrite,
      cachedTokens: tokens.cached,
      outputTokens: tokens.output,
      microUsd: microUsdFor(tokens, price),
    });
    permit.settle({ kind: 'done', tokens: tokens.input + tokens.cacheWrite + tokens.output });
  }

  /** What the provider did not say, or what of its answer was cut before it could, is estimated. */
  private tokensOf({ tokens = {}, bytes }: Told): Tokens {
    const { route, body } = this.ends.request;
    if (route.form === 'plain') return noTokens;
    const { cached = 0, cacheWrite = 0 } = tokens;
    const input = tokens.input ?? Math.max(0, estimateTokens(body.length) - cached - cacheWrite);
    return { input, cached, cacheWrite, output: tokens.output ?? estimateTokens(bytes) };
  }

  private ownBody(status: number, message: string): string {
    return errorBody(this.want.provider, status, `the model gateway: ${message}`);
  }
}

function wantOf({ route, model, most, tokens }: PreparedRequest, { prices }: ExchangeContext): Want {
  const { price } = prices.find(route.provider, model);
  return { provider: route.provider, model, tokens, microUsd: microUsdFor(most, price) };
}

/** Network errors by their code: their words may hold addresses, never keys, but agents need neither. */
function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : messageOf(error);
}

/** Providers repeat parts of a wrong key. */
function withoutKey(text: string, { key }: Provider): string {
  const secret = key();
  return secret === undefined ? text : text.replaceAll(secret, '[key]');
}

/** Waits until an answer has something, or has ended. Rejects when it was cut before. */
async function firstByte(answer: IncomingMessage, signal: AbortSignal): Promise<void> {
  if (answer.readableLength > 0 || answer.readableEnded) return;
  await Promise.race([once(answer, 'readable', { signal }), once(answer, 'end', { signal }), cut(answer)]);
}

function cut(answer: IncomingMessage): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => reject(new Error('the connection ended'));
    answer.once('aborted', fail);
    answer.once('error', fail);
  });
}

/** The beginning of an error; one that goes on and on is not read to its end. */
async function readStart(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > errorBytesMax) break;
    }
  } catch {
    // An error whose words are cut is still an error: its status says enough.
  }
  return Buffer.concat(chunks).subarray(0, errorBytesMax).toString('utf8');
}
