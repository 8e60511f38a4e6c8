import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  findRepository,
  openSession,
  runningOrchestrator,
  type Session,
  type StartMode,
} from '@switchyard/access';
import type { SwitchyardClient } from '@switchyard/client';
import { AppError, isAppError } from '@switchyard/protocol';
import type { McpConfig } from './config.ts';
import { maySpawn } from './mode.ts';
import { Turns } from './turns.ts';

/** A connection is lost, then given up, and then the journal is there to read. */
const looks = 3;

/**
 * The way to the orchestrator, opened when something is first asked of it. A connection to one that runs, or that was
 * started to work, is kept; one that was started only to look is ended again, and such looks take turns, since each
 * holds the state folder.
 */
export class Station {
  private readonly config: McpConfig;
  private readonly say: (text: string) => void;
  private kept: Promise<Session> | undefined;
  /** Why a connection was closed that did not come back. */
  private readonly lost = new WeakMap<Session, AppError>();
  private readonly turns = new Turns();

  constructor(config: McpConfig, say: (text: string) => void) {
    this.config = config;
    this.say = say;
  }

  /**
   * Reads what needs no worker, of the orchestrator that runs or of the journal; anew where one ends meanwhile, as one
   * does that was started for a run. Throws AppError.
   */
  async look<Result>(work: (client: SwitchyardClient) => Promise<Result>): Promise<Result> {
    for (let left = looks; ; left -= 1) {
      try {
        return await this.ask(work);
      } catch (error) {
        const isEnded = isAppError(error) && error.code === 'E_UNREACHABLE' && !this.isElsewhere();
        if (!isEnded || left === 1) throw error;
      }
    }
  }

  /** Asks what needs no worker and is not asked twice: it changes something, or waits. Throws AppError. */
  async ask<Result>(work: (client: SwitchyardClient) => Promise<Result>): Promise<Result> {
    if (this.kept !== undefined) return this.through(await this.kept, work);
    const looked = await this.turns.take(async () => {
      const running = this.kept ?? ((await this.runs()) ? this.keep({ kind: 'never' }) : undefined);
      if (running !== undefined) return { session: await running };
      const session = await this.open({ kind: 'look' });
      try {
        return { result: await work(session.client) };
      } finally {
        await session.stop('it was only started to look');
      }
    });
    return 'result' in looked ? looked.result : this.through(looked.session, work);
  }

  /**
   * Names of runs, oldest first, without starting anything: clients list resources as they connect, and wait for that.
   * Where no orchestrator runs, those whose reports lie in the state folder.
   */
  async runNames(): Promise<string[]> {
    if (this.kept !== undefined || (await this.runs()))
      return this.look(async (client) => (await client.runs()).map(({ run }) => run));
    const { folder } = await findRepository(this.config, this.config);
    if (!existsSync(folder.runs)) return [];
    const names = readdirSync(folder.runs, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const dated = names.map(({ name }) => ({ name, at: statSync(join(folder.runs, name)).mtimeMs }));
    return dated.toSorted((a, b) => a.at - b.at).map(({ name }) => name);
  }

  /** Asks what needs an orchestrator with workers; starts one if none runs. Throws AppError. */
  async work<Result>(work: (client: SwitchyardClient) => Promise<Result>): Promise<Result> {
    const flags = this.config.sandbox === 'off' ? ['--sandbox', 'off'] : [];
    const session = await this.turns.take(() => this.keep({ kind: 'work', flags }));
    return this.through(session, work);
  }

  /** The work tree, where the repository is of this machine. */
  async workTree(): Promise<string | undefined> {
    if (this.isElsewhere()) return undefined;
    return (await findRepository(this.config, this.config)).workTree;
  }

  isElsewhere(): boolean {
    return (this.config.hub ?? this.config.environment.hub) !== undefined;
  }

  /** Leaves an orchestrator of our own to its work; it ends when that is done. */
  async close(): Promise<void> {
    const { kept } = this;
    this.kept = undefined;
    await this.turns.over();
    const session = await kept?.catch(() => undefined);
    await session?.detach();
  }

  /** What is asked of an orchestrator that ends meanwhile fails with why it went. */
  private async through<Result>(
    session: Session,
    work: (client: SwitchyardClient) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await work(session.client);
    } catch (error) {
      const isOurs = isAppError(error) && error.code === 'E_CANCELLED';
      throw (isOurs ? this.lost.get(session) : undefined) ?? error;
    }
  }

  private async runs(): Promise<boolean> {
    if (this.isElsewhere()) return true;
    const { folder } = await findRepository(this.config, this.config);
    const running = runningOrchestrator(folder);
    // One that was started to look is not kept: runs could not be worked on there.
    return running !== undefined && !running.draining && !running.looking;
  }

  private keep(mode: StartMode): Promise<Session> {
    if (this.kept !== undefined) return this.kept;
    const opening = this.open(mode);
    this.kept = opening;
    const forget = (): void => {
      if (this.kept === opening) this.kept = undefined;
    };
    opening.then((session) => {
      this.say(`connected to the orchestrator at ${session.url}`);
      session.onConnection((lost) =>
        this.say(lost === undefined ? 'connected again' : `connection lost: ${lost}`),
      );
      void session.gone.then(async (error) => {
        this.say(error.message);
        this.lost.set(session, error);
        forget();
        await session.detach();
      });
    }, forget);
    return opening;
  }

  private open(mode: StartMode): Promise<Session> {
    const { config } = this;
    const role = maySpawn(config.mode) ? 'client' : 'observer';
    if (role === 'observer' && mode.kind !== 'never')
      throw new AppError(
        'E_UNREACHABLE',
        `no orchestrator runs, and an agent in the mode ${config.mode} may not start one`,
      );
    return openSession({ context: config, options: config, mode, self: { role, name: 'mcp' } });
  }
}
