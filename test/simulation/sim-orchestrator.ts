import { messageOf } from '@switchyard/protocol';
import type { Channel } from '@switchyard/transport';
import type { Ends } from './network.ts';
import { isDiskTrouble, OrchestratorProcess, type ReportFolder } from './orchestrator-process.ts';
import type { Surroundings } from './surroundings.ts';
import { Life, Machine } from './world.ts';

const restartMs = 1_000;

/** The orchestrator as its supervisor has it: one process after the other, and at times two. */
export class SimOrchestrator {
  readonly machine = new Machine('orchestrator');
  private readonly sim: Surroundings;
  private readonly reports: ReportFolder = new Map();
  /** The one that peers find. */
  private current: OrchestratorProcess | undefined;
  /** Others that have not noticed yet that they were replaced. */
  private readonly replaced = new Set<OrchestratorProcess>();

  constructor(sim: Surroundings) {
    this.sim = sim;
    this.start();
  }

  get isUp(): boolean {
    return this.current !== undefined;
  }

  get processes(): OrchestratorProcess[] {
    return [...this.replaced, ...(this.current === undefined ? [] : [this.current])];
  }

  /** Undefined: nobody listens. */
  accept(ends: Omit<Ends, 'hubLife'>): Channel | undefined {
    return ends.peerLife.alive ? this.current?.accept(ends) : undefined;
  }

  /** The process is gone in whatever it was doing; another one comes after a time. */
  crash(forMs: number, withMachine: boolean): void {
    if (this.current !== undefined) this.end(this.current, forMs, withMachine);
  }

  /** It is asked to end in order; whoever waits for it waits no longer than a time. */
  drain(forMs: number): void {
    const { current, sim } = this;
    if (current === undefined) return;
    void current.stop().then(() => this.end(current, forMs, false));
    sim.world.after(5_000, '', () => this.end(current, forMs, false), current.life);
  }

  /** The loop stands still. */
  stall(forMs: number): void {
    if (this.current !== undefined) this.current.life.stalledUntil = this.sim.world.nowMs + forMs;
  }

  /** Somebody starts another one on the same state; the first one stands still for a time, or does not. */
  twin(forMs: number): void {
    const { current } = this;
    if (current === undefined) return;
    this.stall(forMs % 3 === 0 ? 0 : forMs);
    this.replaced.add(current);
    this.current = undefined;
    this.start();
  }

  /** Somebody looks after what was started twice. */
  mend(): void {
    for (const process of this.replaced) this.end(process, restartMs, false);
  }

  private start(): void {
    const { sim } = this;
    if (this.current !== undefined) return;
    const life = new Life(this.machine);
    try {
      const options = { sim, life, reports: this.reports, over: (error: unknown) => this.over(life, error) };
      this.current = new OrchestratorProcess(options);
    } catch (error) {
      life.alive = false;
      if (!sim.journal.weather.full) sim.violate(`7: the orchestrator does not start: ${messageOf(error)}`);
      sim.world.after(restartMs, '', () => this.start()); // its supervisor tries again
    }
  }

  /** Only a disk that failed, or one that took over, may end the process. */
  private over(life: Life, error: unknown): void {
    const { sim } = this;
    sim.world.note(`the orchestrator ends: ${messageOf(error)}`);
    if (!isDiskTrouble(error)) sim.violate(`7: fatal: ${messageOf(error)}`);
    const process = this.processes.find((one) => one.life === life);
    if (process !== undefined) sim.world.after(0, '', () => this.end(process, restartMs, false));
  }

  private end(process: OrchestratorProcess, restartAfterMs: number, withMachine: boolean): void {
    const { life } = process;
    if (!life.alive) return;
    life.alive = false;
    this.replaced.delete(process);
    this.sim.network.ended(life, withMachine);
    this.sim.journal.crash(life);
    if (withMachine) void this.sim.journal.losePower();
    if (this.current !== process) return;
    this.current = undefined;
    this.sim.world.after(restartAfterMs + 100, 'the orchestrator starts again', () => this.start());
  }
}
