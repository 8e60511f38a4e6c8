import { AppError, type GateInput, type GateValues, type PlanTask, type TaskId } from '@switchyard/protocol';
import type { RunState } from './state.ts';

/**
 * What a gate passes on: what was answered, and the defaults for the rest. Throws AppError E_GATE_INPUTS that names
 * everything that is wrong with the answer.
 */
export function gateValuesOf(taskId: TaskId, asked: readonly GateInput[], given: GateValues): GateValues {
  const names = asked.map(({ name }) => name);
  const wrong = [
    ...Object.keys(given)
      .filter((name) => !names.includes(name))
      .map((name) => `it asks for no ${name}${names.length === 0 ? '' : `, but for ${names.join(', ')}`}`),
    ...asked.flatMap((input) =>
      faultOf(input, Object.hasOwn(given, input.name) ? given[input.name] : undefined),
    ),
  ];
  if (wrong.length > 0)
    throw new AppError('E_GATE_INPUTS', `gate ${taskId} is not answered: ${wrong.join('; ')}`);
  return { ...defaultsOf(asked), ...given };
}

function faultOf({ name, text, choices, default: value }: GateInput, given: string | undefined): string[] {
  if (given === undefined) {
    const what = text === '' ? '' : ` (${text.split('\n', 1)[0]})`;
    return value === undefined ? [`${name}${what} is missing, add --input ${name}=…`] : [];
  }
  if (given.includes('\0')) return [`${name} has a zero byte`];
  if (choices.length === 0 || choices.includes(given)) return [];
  return [`${name} is one of ${choices.join(', ')}, not ${given.slice(0, 100)}`];
}

/** What a gate passes on that nobody has answered. */
export function defaultsOf(asked: readonly GateInput[]): GateValues {
  return Object.fromEntries(
    asked.flatMap(({ name, default: value }) => (value === undefined ? [] : [[name, value]])),
  );
}

/** What was answered at the gates that a task, directly or not, comes after; the last answer to a name counts. */
export function valuesBefore(state: RunState, { id }: PlanTask): GateValues {
  if (state.answers.length === 0) return {};
  const before = ancestorsOf(state, id);
  return Object.fromEntries(
    state.answers.flatMap(({ taskId, inputs }) => (before.has(taskId) ? Object.entries(inputs) : [])),
  );
}

function ancestorsOf(state: RunState, id: TaskId): ReadonlySet<TaskId> {
  const found = new Set<TaskId>();
  const look = [id];
  for (let at = look.pop(); at !== undefined; at = look.pop())
    for (const above of state.tasks.get(at)?.task.dependsOn ?? [])
      if (!found.has(above)) {
        found.add(above);
        look.push(above);
      }
  return found;
}
