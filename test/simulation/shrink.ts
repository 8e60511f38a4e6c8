import type { Plan } from '@switchyard/protocol';
import type { Scenario } from './scenario.ts';
import type { Plant } from './plants.ts';
import { play, type Outcome } from './simulation.ts';
import { numberOf } from './violation.ts';

export interface Shrunk {
  readonly scenario: Scenario;
  readonly outcome: Outcome;
}

type Less = (scenario: Scenario, first: number, count: number) => Scenario;

/** What can be left out of a scenario, the noisiest first: how many there are, and the scenario without some of them. */
const parts: readonly { readonly of: (scenario: Scenario) => number; readonly without: Less }[] = [
  {
    of: ({ faults }) => faults.length,
    without: (scenario, first, count) => ({ ...scenario, faults: scenario.faults.toSpliced(first, count) }),
  },
  {
    of: ({ acts }) => acts.length,
    without: (scenario, first, count) => ({ ...scenario, acts: scenario.acts.toSpliced(first, count) }),
  },
  {
    of: ({ plans }) => (plans[0]?.tasks.length ?? 1) - 1,
    without: (scenario, first, count) => ({
      ...scenario,
      plans: scenario.plans.map((plan, index) => (index === 0 ? withoutTasks(plan, first + 1, count) : plan)),
    }),
  },
  {
    of: ({ workers }) => workers.length - 1,
    without: (scenario, first, count) => ({
      ...scenario,
      workers: scenario.workers.toSpliced(first + 1, count),
    }),
  },
  {
    of: ({ reviewers }) => reviewers.length - 1,
    without: (scenario, first, count) => ({
      ...scenario,
      reviewers: scenario.reviewers.toSpliced(first + 1, count),
    }),
  },
];

/** Leaves out halves first and then one after the other, while the same invariant still fails. */
export async function shrink(failed: Scenario, plant?: Plant): Promise<Shrunk> {
  let best: Shrunk = { scenario: failed, outcome: await play(failed, { plant }) };
  const wanted = numberOf(best.outcome.violation);
  for (const { of, without } of parts) {
    for (let size = Math.ceil(of(best.scenario) / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let first = 0; first < of(best.scenario);) {
        const scenario = without(best.scenario, first, size);
        const outcome = await play(scenario, { plant });
        if (numberOf(outcome.violation) === wanted) best = { scenario, outcome };
        else first += size;
      }
    }
  }
  return best;
}

/** What a person reads of a failure: the fewest things that still break it, with every message. */
export async function failureText({ scenario, outcome }: Shrunk, plant?: Plant): Promise<string> {
  const { trace } = await play(scenario, { plant, verbose: true });
  const left = `${scenario.faults.length} fault(s), ${scenario.acts.length} act(s), ${scenario.plans[0]?.tasks.length} task(s)`;
  const head = `seed ${scenario.seed} breaks invariant ${outcome.violation ?? 'none'}\n${left} are enough; the trace:`;
  return [head, ...trace.map((line) => `  ${line}`)].join('\n');
}

function withoutTasks(plan: Plan, first: number, count: number): Plan {
  const gone = new Set(plan.tasks.slice(first, first + count).map(({ id }) => id));
  const tasks = plan.tasks.filter(({ id }) => !gone.has(id));
  return {
    ...plan,
    tasks: tasks.map((task) => ({ ...task, dependsOn: task.dependsOn.filter((id) => !gone.has(id)) })),
  };
}
