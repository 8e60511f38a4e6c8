import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Scenario } from '../scenarios/harness.ts';
import { Member } from './member.ts';
import { Relay, type RelayOptions } from './relay.ts';

const runner = fileURLToPath(new URL('../../tools/program/run.mjs', import.meta.url));

/** Times of the fleet, milliseconds: short, so that a round sees leases end, and long enough for a busy machine. */
export const fleetTimes = { heartbeatMs: 500, leaseMs: 3_000, graceMs: 3_000, stopMs: 60_000 } as const;

export const peerNames = ['worker-1', 'worker-2', 'reviewer-1'] as const;
export type PeerName = (typeof peerNames)[number];
export const memberNames = ['orchestrator', ...peerNames] as const;
export type MemberName = (typeof memberNames)[number];

export interface FleetOptions {
  /** Files of the repository; committed. */
  readonly files: Readonly<Record<string, string>>;
  readonly tap?: (name: PeerName) => RelayOptions['tap'];
  /** Done before anything is started. */
  readonly prepare?: (scenario: Scenario) => void;
  /** Exit codes after which the orchestrator stays away until it is started again. */
  readonly finalCodes?: readonly number[];
  /** Lease and grace of a fleet in which no attempt may be lost, however slow the machine is. */
  readonly leaseMs?: number;
  /** The grace, where it is not as long as the lease. */
  readonly graceMs?: number;
  /** Flags of the workers beside those that every fleet has. */
  readonly workerFlags?: readonly string[];
}

/**
 * A real orchestrator, two workers and a reviewer on a repository in a temporary folder, each peer behind a relay of
 * its own. Everything that runs or is written belongs to that folder, temporary files too.
 */
export class Fleet {
  readonly scenario: Scenario;
  readonly temporary: string;
  private readonly members = new Map<MemberName, Member>();
  private readonly relays = new Map<PeerName, Relay>();

  private readonly finalCodes: readonly number[] | undefined;

  private constructor(options: FleetOptions) {
    this.finalCodes = options.finalCodes;
    this.scenario = new Scenario(options.files);
    this.temporary = join(this.scenario.folder, 'tmp');
    mkdirSync(this.temporary);
    this.scenario.env['TMPDIR'] = this.temporary;
  }

  static async start(options: FleetOptions): Promise<Fleet> {
    const fleet = new Fleet(options);
    options.prepare?.(fleet.scenario);
    fleet.launch('orchestrator', [
      ...['--port', '0', '--workers-max', '0', '--reviewers-max', '0'],
      ...['--heartbeat-interval-ms', String(fleetTimes.heartbeatMs)],
      ...['--lease-ms', String(options.leaseMs ?? fleetTimes.leaseMs)],
      ...['--lease-grace-ms', String(options.graceMs ?? options.leaseMs ?? fleetTimes.graceMs)],
    ]);
    await fleet.member('orchestrator').ready();
    for (const name of peerNames) {
      const tap = options.tap?.(name);
      const relay = await Relay.open({ hubPort: () => fleet.hubPort(), ...(tap !== undefined && { tap }) });
      fleet.relays.set(name, relay);
      const more = name.startsWith('worker') ? (options.workerFlags ?? []) : [];
      fleet.launch(name, ['--hub', `ws://127.0.0.1:${relay.port}/hub`, '--name', name, ...more]);
    }
    await fleet.ready();
    return fleet;
  }

  member(name: MemberName): Member {
    const member = this.members.get(name);
    if (member === undefined) throw new Error(`${name} was never started`);
    return member;
  }

  relay(name: PeerName): Relay {
    const relay = this.relays.get(name);
    if (relay === undefined) throw new Error(`${name} has no relay`);
    return relay;
  }

  /** Resolves once all are ready: the longest time that one needed, in milliseconds. */
  async ready(): Promise<number> {
    return Math.max(...(await Promise.all([...this.members.values()].map((member) => member.ready()))));
  }

  /** Ends of daemons that no fault explains. */
  surprises(): string[] {
    return [...this.members.values()].flatMap(({ surprises }) => surprises);
  }

  /** How often each daemon was started. */
  get lives(): number {
    return [...this.members.values()].reduce((sum, { lives }) => sum + lives, 0);
  }

  /** Hands a plan to the orchestrator; the answer is the run. */
  async submit(planFile: string): Promise<string> {
    const { code, stdout, stderr } = await this.scenario.cli('run', planFile, '--detach').ended;
    const run = /run (\S+): \d+ tasks?/.exec(stdout + stderr)?.[1];
    if (code !== 0 || run === undefined) throw new Error(`the plan was not taken: ${stdout}${stderr}`);
    return run;
  }

  /** Asks every daemon to end, peers first, and waits for it. */
  async stop(): Promise<void> {
    const peers = peerNames.flatMap((name) => this.members.get(name) ?? []);
    await Promise.all(peers.map((member) => member.stop(fleetTimes.stopMs)));
    await this.members.get('orchestrator')?.stop(fleetTimes.stopMs);
    await Promise.all([...this.relays.values()].map((relay) => relay.close()));
  }

  /** The hub's port now, as the orchestrator announces it. */
  private hubPort(): number | undefined {
    const file = join(this.scenario.state, 'orchestrator.json');
    if (this.scenario.state === '' || !existsSync(file)) return undefined;
    const { url } = JSON.parse(readFileSync(file, 'utf8')) as { url: string };
    return Number(new URL(url).port);
  }

  private launch(name: MemberName, flags: readonly string[]): void {
    const role = name.replace(/-\d+$/, '');
    const { repository, folder, env } = this.scenario;
    this.members.set(
      name,
      new Member({
        name,
        program: process.execPath,
        args: [runner, `apps/${role}/src/main.ts`, '--repository', repository, ...flags],
        cwd: repository,
        env,
        readyMessage: role === 'orchestrator' ? 'orchestrator ready' : 'connected',
        errorFile: join(folder, `${name}.stderr`),
        ...(role === 'orchestrator' && { finalCodes: this.finalCodes }),
      }),
    );
  }
}
