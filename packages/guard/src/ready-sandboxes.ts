/**
 * Sandboxes that are set up before their command is known. Most of the time of a start goes into namespaces and mounts;
 * where commands come in a row in one place, as an agent gives them, the next one finds them made. What waits is as new
 * as any other: nothing has run in it, and it is taken only by a command that would be given the very same.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf } from '@switchyard/protocol';
import type { BubblewrapParts } from './bubblewrap-parts.ts';
import type { ControlGroup } from './control-group.ts';
import { pinMounts, type PinnedMounts } from './pinned-mounts.ts';
import { end, isAsItWas, placeOf, setUpReady, type ReadySandbox, type SetUp } from './ready-sandbox.ts';
import type { ProcessRequest } from './sandbox-request.ts';
import type { SetupTurns } from './setup-turns.ts';

export interface ReadyContext {
  readonly parts: BubblewrapParts;
  readonly turns: SetupTurns;
  readonly makeGroup: (request: ProcessRequest) => ControlGroup | undefined;
  readonly leave: (group: ControlGroup) => void;
}

/** What was asked for, where, and when (monotonic milliseconds). */
export interface Ran {
  readonly place: string | undefined;
  readonly request: ProcessRequest;
  readonly startedAt: number;
}

interface Place {
  readonly folder: string;
  readonly sandbox: Promise<ReadySandbox | undefined>;
  /** Stops its clock. */
  readonly cancel: () => void;
  /** No command will come: what is not begun is left. */
  readonly leave: () => void;
}

/** Commands that follow each other so closely are a row; no sandbox waits longer for its command. */
const rowMs = 5_000;
const placesMax = 4;
const noStreams = { input: false, apart: false };

export class ReadySandboxes {
  readonly #context: ReadyContext;
  readonly #places = new Map<string, Place>();
  /** When the last command of each place ended. */
  readonly #endedAt = new Map<string, number>();
  /** What is being set up or ended. */
  readonly #works = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(context: ReadyContext) {
    this.#context = context;
  }

  /** The one that waits in a place, or will in a moment; the caller's from now on. Undefined: there is none. */
  async take(place: string | undefined): Promise<SetUp | undefined> {
    const found = place === undefined ? undefined : this.#remove(place);
    const sandbox = await found?.sandbox;
    if (sandbox === undefined || isAsItWas(sandbox)) return sandbox;
    void this.#work(this.#end(sandbox));
    return undefined;
  }

  /** For a command that will be given soon, if it can be told to one that waits. */
  prepare(request: ProcessRequest): void {
    const { parts } = this.#context;
    if (this.#isClosed || !parts.isAhead) return;
    let pinned: PinnedMounts | undefined;
    try {
      pinned = pinMounts(request.mounts);
      const place = placeOf(request, noStreams, pinned, parts);
      if (place !== undefined) this.#add(place, request, Promise.resolve());
    } catch (error) {
      // The command will say so, and to whom it matters.
      parts.logger.debug({ reason: messageOf(error) }, 'no sandbox can be set up ahead');
    } finally {
      pinned?.close();
    }
  }

  /** To be called when a command has ended. In a row, a sandbox is set up for the next one, behind the answer. */
  ended({ place, request, startedAt }: Ran): void {
    const { isAhead, clock } = this.#context.parts;
    if (place === undefined || this.#isClosed || !isAhead) return;
    const now = clock.monotonic();
    const before = this.#endedAt.get(place) ?? Number.NEGATIVE_INFINITY;
    for (const [other, at] of this.#endedAt) if (now - at > rowMs) this.#endedAt.delete(other);
    this.#endedAt.set(place, now);
    if (startedAt - before <= rowMs) this.#add(place, request, nextTurn());
  }

  /** Ends those that wait for commands in a folder, and waits for their end. */
  async forget(folder: string): Promise<void> {
    const places = [...this.#places].filter(([, place]) => place.folder === folder);
    await Promise.all(places.map(([place]) => this.#drop(place)));
  }

  /** Ends all that wait, and waits for their end. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const place of this.#places.keys()) void this.#drop(place);
    while (this.#works.size > 0) await Promise.all(this.#works);
  }

  /** Nothing where one waits already, or enough do. */
  #add(place: string, request: ProcessRequest, begin: Promise<void>): void {
    if (this.#places.has(place) || this.#places.size >= placesMax) return;
    let isLeft = false;
    const { clock, logger } = this.#context.parts;
    const sandbox = begin
      .then(() => (isLeft ? undefined : this.#setUp(place, request)))
      .catch((error: unknown) => {
        logger.debug({ reason: messageOf(error) }, 'no sandbox could be set up ahead');
        return undefined;
      });
    void this.#work(sandbox);
    const cancel = clock.after(rowMs, () => void this.#drop(place));
    const leave = (): void => void (isLeft = true);
    this.#places.set(place, { folder: request.cwd, sandbox, cancel, leave });
  }

  /** As for a command, in its turn and with its mounts, but at once or not at all, and with nothing made for it. */
  async #setUp(place: string, request: ProcessRequest): Promise<ReadySandbox | undefined> {
    const { parts, turns, makeGroup, leave } = this.#context;
    const turn = await turns.take({ ...request, timeoutMs: 0 }, false);
    try {
      if (placeOf(request, noStreams, turn.pinned, parts) !== place) return undefined;
      const group = makeGroup(request);
      try {
        return await setUpReady(request, turn.pinned, { parts, group });
      } catch (error) {
        if (group !== undefined) leave(group);
        throw error;
      }
    } finally {
      turn.done();
      turn.pinned.close();
    }
  }

  #remove(place: string): Place | undefined {
    const found = this.#places.get(place);
    found?.cancel();
    this.#places.delete(place);
    return found;
  }

  #drop(place: string): Promise<void> {
    const found = this.#remove(place);
    found?.leave();
    return this.#work(found?.sandbox.then((waiting) => waiting && this.#end(waiting)));
  }

  async #end(sandbox: ReadySandbox): Promise<void> {
    await end(sandbox);
    if (sandbox.group !== undefined) this.#context.leave(sandbox.group);
  }

  #work(work: Promise<unknown> | undefined): Promise<void> {
    const settled: Promise<void> = Promise.resolve(work).then(
      () => void this.#works.delete(settled),
      (error: unknown) => {
        this.#works.delete(settled);
        this.#context.parts.logger.warn({ err: error }, 'a sandbox that waited could not be ended');
      },
    );
    this.#works.add(settled);
    return settled;
  }
}
