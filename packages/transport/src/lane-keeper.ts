import {
  AppError,
  closeCodes,
  isAppError,
  limits,
  mayReconnect,
  messageOf,
  type CloseName,
  type ErrorCode,
  type Lane,
  type RawEnvelope,
} from '@switchyard/protocol';
import { backoffMs, type Clock, type Random } from '@switchyard/runtime';
import { Breach } from './breach.ts';
import type { Channel, Dial } from './channel.ts';
import { Inflow } from './inflow.ts';

export interface LaneKeeperOptions {
  readonly lane: Lane;
  readonly dial: Dial;
  readonly clock: Clock;
  readonly random: Random;
  /** Writes the hello. */
  readonly writeHello: () => Uint8Array;
  /** Checks the first envelope, which has to be the welcome. Throws Breach. */
  readonly onWelcome: (raw: RawEnvelope, channel: Channel) => void;
  readonly onEnvelope: (raw: RawEnvelope) => void;
  /** The channel is gone; `wasUp`: it had been welcomed. */
  readonly onDown: (reason: string, wasUp: boolean) => void;
  /** It is tried again after a try that did not get as far as the welcome. */
  readonly onUnreached?: (reason: string) => void;
  /** Trying again makes no sense. */
  readonly onFatal: (error: AppError) => void;
}

/** How long the end of a channel is waited for. */
const closeWaitMs = 1_000;

interface Line {
  readonly channel: Channel;
  readonly inflow: Inflow;
}

type Phase =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'dialling' }
  | ({ readonly kind: 'greeting'; readonly cancel: () => void } & Line)
  | ({ readonly kind: 'up'; readonly sinceMs: number } & Line)
  | { readonly kind: 'waiting'; readonly cancel: () => void };

/** Keeps one lane of a link connected: dial, hello, welcome, and again with backoff when it breaks. */
export class LaneKeeper {
  private readonly options: LaneKeeperOptions;
  private phase: Phase = { kind: 'stopped' };
  private tries = 0;
  /** Grows with every dial, so that a late answer of an older one is recognised. */
  private epoch = 0;
  /** A channel whose end somebody waits for. */
  private ending: { readonly channel: Channel; readonly ended: () => void } | undefined;

  constructor(options: LaneKeeperOptions) {
    this.options = options;
  }

  start(): void {
    if (this.phase.kind === 'stopped') this.connect();
  }

  /**
   * Ends the lane until it is started again. Resolves when the channel has ended, so that what was sent has left,
   * or after a second.
   */
  stop(code: number, reason: string): Promise<void> {
    const { phase } = this;
    this.phase = { kind: 'stopped' };
    this.epoch += 1;
    this.tries = 0;
    release(phase, code, reason);
    if (phase.kind !== 'greeting' && phase.kind !== 'up') return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.options.clock.after(closeWaitMs, resolve);
      this.ending = {
        channel: phase.channel,
        ended: () => {
          cancel();
          resolve();
        },
      };
    });
  }

  /** Gives the channel up and connects anew. */
  drop(closeName: CloseName, reason: string): void {
    const { phase } = this;
    if (phase.kind !== 'greeting' && phase.kind !== 'up') return;
    release(phase, closeCodes[closeName].code, reason);
    this.broken(phase, reason);
  }

  private connect(): void {
    this.epoch += 1;
    const { epoch } = this;
    this.phase = { kind: 'dialling' };
    this.options.dial(this.options.lane).then(
      (channel) => {
        if (epoch === this.epoch && this.phase.kind === 'dialling') this.greet(channel);
        else channel.close(1000, 'no longer wanted');
      },
      (thrown: unknown) => {
        if (epoch === this.epoch && this.phase.kind === 'dialling') this.undialled(thrown);
      },
    );
  }

  private undialled(thrown: unknown): void {
    if (isAppError(thrown) && thrown.next === 'never') return this.fail(thrown);
    this.retry(messageOf(thrown), false);
  }

  private greet(channel: Channel): void {
    const { clock, lane, writeHello } = this.options;
    const inflow = new Inflow({
      lane,
      clock,
      channel,
      onEnvelope: (raw) => this.take(raw),
      onBreach: (breach) => this.drop(breach.closeName, breach.message),
    });
    const cancel = clock.after(limits.helloTimeoutMs, () => this.drop('helloTimeout', 'no welcome in time'));
    this.phase = { kind: 'greeting', channel, inflow, cancel };
    channel.onClose((code, reason) => this.closed(channel, code, reason));
    channel.send(writeHello());
  }

  private take(raw: RawEnvelope): void {
    const { phase } = this;
    if (phase.kind === 'up') return this.options.onEnvelope(raw);
    if (phase.kind !== 'greeting') return;
    if (raw.type !== 'welcome') throw new Breach('forbidden', `${raw.type} before welcome`);
    phase.cancel();
    const { channel, inflow } = phase;
    this.phase = { kind: 'up', channel, inflow, sinceMs: this.options.clock.monotonic() };
    this.options.onWelcome(raw, channel);
  }

  private closed(channel: Channel, code: number, reason: string): void {
    const { phase } = this;
    if (this.ending?.channel === channel) this.ending.ended();
    if ((phase.kind !== 'greeting' && phase.kind !== 'up') || phase.channel !== channel) return;
    release(phase, 1000, '');
    if (mayReconnect(code)) return this.broken(phase, reason === '' ? `closed with ${code}` : reason);
    this.fail(closeError(code, reason));
  }

  private broken(phase: Phase, reason: string): void {
    const wasUp = phase.kind === 'up';
    if (phase.kind === 'up' && this.options.clock.monotonic() - phase.sinceMs > limits.reconnectMaxMs)
      this.tries = 0;
    this.retry(reason, wasUp);
  }

  private retry(reason: string, wasUp: boolean): void {
    const { clock, random, onDown, onUnreached } = this.options;
    const delay = backoffMs(
      this.tries,
      { minMs: limits.reconnectMinMs, maxMs: limits.reconnectMaxMs },
      random,
    );
    this.tries += 1;
    this.phase = { kind: 'waiting', cancel: clock.after(delay, () => this.connect()) };
    onDown(reason, wasUp);
    if (!wasUp) onUnreached?.(reason);
  }

  private fail(error: AppError): void {
    const wasUp = this.phase.kind === 'up';
    this.phase = { kind: 'stopped' };
    this.epoch += 1;
    this.options.onDown(error.message, wasUp);
    this.options.onFatal(error);
  }
}

function release(phase: Phase, code: number, reason: string): void {
  if (phase.kind === 'greeting' || phase.kind === 'waiting') phase.cancel();
  if (phase.kind !== 'greeting' && phase.kind !== 'up') return;
  phase.inflow.end();
  phase.channel.close(code, reason);
}

const closeErrors: Partial<Record<CloseName, ErrorCode>> = {
  unauthorized: 'E_TOKEN',
  replaced: 'E_REPLACED',
  versionMismatch: 'E_VERSION',
};

function closeError(code: number, reason: string): AppError {
  for (const [name, entry] of Object.entries(closeCodes)) {
    if (entry.code !== code) continue;
    const text = reason === '' ? entry.text : `${entry.text}: ${reason}`;
    return new AppError(
      closeErrors[name as CloseName] ?? 'E_PROTOCOL',
      `the hub closed the link (${code}): ${text}`,
    );
  }
  return new AppError('E_PROTOCOL', `the hub closed the link with ${code}: ${reason}`);
}
