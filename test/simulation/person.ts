import { createClient, type RunHandle, type SwitchyardClient } from '@switchyard/client';
import {
  isAppError,
  messageOf,
  peerId,
  type EscalationAction,
  type PlanTask,
  type RunEvent,
  type RunId,
  type RunView,
  type TaskView,
} from '@switchyard/protocol';
import { seededRandom } from '@switchyard/testkit';
import { silentLogger } from '@switchyard/runtime';
import { createLink, type Dial } from '@switchyard/transport';
import { sameVersion } from './frames.ts';
import { taskOf } from './plan.ts';
import type { Act, ActKind } from './scenario.ts';
import type { Surroundings } from './surroundings.ts';
import { Life, Machine } from './world.ts';

const lookMs = { soon: 2_500, late: 20_000, never: 120_000 } as const;
/** An escalation of a task is answered with something else than `retry` after so many of them. */
const retriesMax = 2;

/** What a person interferes with. */
interface About {
  readonly api: SwitchyardClient;
  readonly view: RunView;
  readonly task: TaskView;
  readonly which: number;
}

/** A person at a client: submits, watches, answers what waits, and interferes. */
export class Person {
  /** Runs that were promised. */
  readonly runs = new Map<RunId, number>();
  /** How often `apply` was asked for. */
  applies = 0;
  life: Life;
  private readonly sim: Surroundings;
  private readonly machine = new Machine('person');
  private api: SwitchyardClient | undefined;
  private watched = new Map<RunId, RunHandle>();
  /** The last event of each run that was shown. */
  private readonly shown = new Map<RunId, number>();
  private readonly answered = new Map<string, number>();
  private readonly wanted = new Set<number>([0]);

  constructor(sim: Surroundings) {
    this.sim = sim;
    this.life = new Life(this.machine);
    this.start();
    for (const act of sim.scenario.acts) sim.world.after(act.atMs, '', () => void this.act(act));
  }

  /** Every plan that was to be submitted has its run. */
  get isServed(): boolean {
    return this.wanted.size === 0;
  }

  /** The client is closed and opened again. */
  crash(forMs: number): void {
    const { life, sim } = this;
    if (!life.alive) return;
    life.alive = false;
    this.api = undefined;
    this.watched.clear();
    sim.network.ended(life, false);
    sim.world.after(forMs, 'the person is back', () => this.start());
  }

  private start(): void {
    const { sim, machine } = this;
    const { world } = sim;
    const life = new Life(machine);
    this.life = life;
    const self = peerId.parse('person');
    const dial: Dial = (lane) => sim.dial({ peer: 'person', lane, peerLife: life, lens: sameVersion });
    const link = createLink({
      self,
      hello: () => ({
        role: 'client',
        version: '0.1.0',
        host: 'person',
        pid: 1,
        labels: [],
        slots: 0,
        specializations: [],
        holding: [],
        reviewing: [],
      }),
      dial,
      clock: world.clock(life),
      random: world.random,
      logger: silentLogger(),
      handler: {
        message: () => undefined,
        fatal: (error) => sim.violate(`7: the client was refused for good: ${error.message}`),
      },
    });
    link.start();
    this.api = createClient(link);
    void this.submit(life);
    this.lookLater(life);
  }

  private lookLater(life: Life): void {
    const { world, scenario } = this.sim;
    world.after(lookMs[scenario.answers], '', () => void this.look(life), life);
  }

  /** What is wanted and not promised is asked for, again and again. */
  private async submit(life: Life): Promise<void> {
    const { sim } = this;
    for (const which of this.wanted) {
      const plan = sim.scenario.plans[which];
      const run = plan === undefined ? undefined : await this.trying(() => this.api?.submit(plan));
      if (!life.alive) return;
      if (run === undefined || !this.wanted.delete(which)) continue;
      sim.world.note(`${run} was submitted`);
      this.runs.set(run, which);
      if (!sim.journal.durable.some(({ stream }) => stream === run))
        sim.violate(`1: ${run} was promised, and the journal does not have it`);
    }
    sim.world.after(1_000, '', () => void this.submit(life), life);
  }

  private async look(life: Life): Promise<void> {
    // Also runs whose promise got lost on its way: nobody else would answer for them.
    const runs = (await this.trying(() => this.api?.runs())) ?? [];
    for (const { run, phase } of runs) {
      if (phase !== 'running' || !life.alive) continue;
      this.watch(run);
      const view = await this.trying(() => this.api?.run(run));
      if (view !== undefined) await this.answer(view);
    }
    if (life.alive) this.lookLater(life);
  }

  /** Events come in order, without gaps, and not before the journal has what they tell. */
  private watch(run: RunId): void {
    const { api, sim } = this;
    if (api === undefined || this.watched.has(run)) return;
    const handle = api.watch(run, { after: this.shown.get(run) ?? 0 });
    this.watched.set(run, handle);
    handle.on('event', (event: RunEvent) => {
      const before = this.shown.get(run) ?? 0;
      if (event.seq !== before + 1) sim.violate(`1: event ${event.seq} of ${run} came after ${before}`);
      this.shown.set(run, event.seq);
      const wrong = sim.invariants.shown(run, event);
      if (wrong !== undefined) sim.violate(wrong);
    });
  }

  private async answer(view: RunView): Promise<void> {
    const { run } = view;
    if (view.paused) await this.trying(() => this.api?.resume(run));
    if (this.sim.scenario.answers === 'never') return;
    for (const task of view.tasks) if (task.phase === 'waiting') await this.answerOne(run, task);
  }

  private async answerOne(run: RunId, task: TaskView): Promise<void> {
    const key = `${run}/${task.id}`;
    const times = this.answered.get(key) ?? 0;
    this.answered.set(key, times + 1);
    const fate = this.sim.world.fate(`answer ${task.id} ${times}`).next();
    const which = { run, taskId: task.id, note: 'as I like it' };
    if (task.waiting?.kind === 'gate')
      await this.trying(() => this.api?.answerGate({ ...which, approve: fate < 0.85 }));
    else await this.trying(() => this.api?.answerEscalation({ ...which, action: actionOf(fate, times) }));
  }

  /** What a person does beside answering; what is refused is refused. */
  private async act({ kind, which }: Act): Promise<void> {
    const { sim, api } = this;
    sim.world.note(`the person: ${kind} ${which}`);
    if (kind === 'submit') {
      this.wanted.add(which);
      return;
    }
    const [run] = this.runs.keys();
    if (run === undefined || api === undefined) return;
    const view = await this.trying(() => api.run(run));
    const task = view?.tasks[which % view.tasks.length];
    if (view === undefined || task === undefined) return;
    await this.trying(() => this.interfere(kind, { api, view, task, which }));
  }

  private async interfere(
    kind: Exclude<ActKind, 'submit'>,
    { api, view, task, which }: About,
  ): Promise<void> {
    const { run } = view;
    const reason = 'the person wants it so';
    switch (kind) {
      case 'pause':
        return api.pause(run, reason);
      case 'cancel-run':
        return api.cancel(run, { reason });
      case 'cancel-task':
        return api.cancel(run, { taskId: task.id, reason });
      case 'add-task':
        return api.addTasks(run, [addedTask(view, which)]);
      case 'apply':
        this.applies += 1;
        await api.apply(run, { timeoutMs: 20_000 });
        return;
      case 'rollback': {
        const isOver = view.finishedAt !== undefined;
        const taskId = isOver && which % 2 === 0 ? {} : { taskId: task.id };
        await api.rollback({ run, ...taskId, withDependants: which > 2, reason: 'a whim' });
        return;
      }
      case 'look':
        await api.fleet();
        await api.report(run);
    }
  }

  /** Undefined: it was refused, or nobody answered. */
  private async trying<T>(work: () => Promise<T> | undefined): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!isAppError(error) || error.code === 'E_INTERNAL' || error.code === 'E_PROTOCOL')
        this.sim.violate(`7: a client was told ${messageOf(error)}`);
      return undefined;
    }
  }
}

function actionOf(fate: number, times: number): EscalationAction {
  if (fate < 0.5 && times < retriesMax) return 'retry';
  if (fate < 0.7) return 'accept';
  return fate < 0.85 ? 'skip' : 'fail';
}

/** A task that is put behind those that are there. */
function addedTask({ tasks }: RunView, which: number): PlanTask {
  const random = seededRandom(which);
  const upTo = (most: number): number => Math.floor(random.next() * (most + 1));
  return taskOf({ upTo, chance: (share) => random.next() < share }, tasks);
}
