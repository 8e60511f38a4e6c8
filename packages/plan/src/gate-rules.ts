import type { PlanProblem } from '@switchyard/protocol';
import { problemAt, type Place, type ProblemText } from './problem.ts';
import { child, textOf, textsOf, type SourceNode } from './source-node.ts';

/** What the schema cannot say of the gates of a file: who has one, and whether each value can be told apart and given. */
export function gateProblems(
  tasks: readonly SourceNode[],
  placeOf: (offset: number) => Place,
  verify: SourceNode | undefined,
): PlanProblem[] {
  const when = textOf(child(verify, 'when'))?.text;
  const kinds = new Map(tasks.map((task) => [textOf(child(task, 'id'))?.text ?? '', task]));
  const problems: PlanProblem[] = [];
  const firsts = new Map<string, { readonly id: string; readonly offset: number }>();
  for (const task of tasks) {
    const gate = child(task, 'gate');
    if (gate === undefined) continue;
    const id = textOf(child(task, 'id'))?.text ?? '';
    const kind = textOf(child(task, 'kind'))?.text ?? 'implement';
    const say = (offset: number, text: ProblemText): void => {
      problems.push(problemAt(placeOf(offset), text));
    };
    if (kind !== 'manual') say(gate.offset, misplaced(id, kind));
    const mode = textOf(child(gate, 'mode'))?.text ?? 'approve';
    const reject = textOf(child(gate, 'onReject'));
    if (reject?.text === 'send-back' || reject?.text === 'roll-back') {
      if (when === 'end') say(reject.offset, tooEarly(id, reject.text));
      if (!hasWork(task, kinds)) say(reject.offset, noWork(id, reject.text));
    }
    const rounds = child(gate, 'rounds');
    if (rounds !== undefined && reject?.text !== 'send-back') say(rounds.offset, idleRounds(id));
    for (const input of inputsOf(gate)) {
      const first = firsts.get(input.name);
      if (first === undefined) firsts.set(input.name, { id, offset: input.offset });
      // The same step of a pipeline asks for each item; what comes behind a gate has its answer.
      else if (first.offset !== input.offset) say(input.offset, askedTwice(input.name, first.id));
      if (mode === 'notify' && input.value === undefined) say(input.offset, unanswered(id, input.name));
      if (input.value !== undefined && input.choices.length > 0 && !input.choices.includes(input.value))
        say(input.offset, noChoice(input));
    }
  }
  return problems;
}

interface Input {
  readonly name: string;
  readonly offset: number;
  readonly choices: readonly string[];
  readonly value: string | undefined;
}

function inputsOf(gate: SourceNode): Input[] {
  const inputs = child(gate, 'inputs');
  const nodes = inputs?.kind === 'list' ? inputs.items : inputs === undefined ? [] : [inputs];
  return nodes.flatMap((node) => {
    const name = textOf(node) ?? textOf(child(node, 'name'));
    if (name === undefined) return [];
    const choices = textsOf(child(node, 'choices')).map(({ text }) => text);
    return [{ name: name.text, offset: name.offset, choices, value: textOf(child(node, 'default'))?.text }];
  });
}

/** Whether a task that changes files comes before a gate. */
function hasWork(gate: SourceNode, tasks: ReadonlyMap<string, SourceNode>): boolean {
  const seen = new Set<string>();
  const look = textsOf(child(gate, 'dependsOn')).map(({ text }) => text);
  for (let id = look.pop(); id !== undefined; id = look.pop()) {
    const task = tasks.get(id);
    if (task === undefined || seen.has(id)) continue;
    seen.add(id);
    if ((textOf(child(task, 'kind'))?.text ?? 'implement') === 'implement') return true;
    look.push(...textsOf(child(task, 'dependsOn')).map(({ text }) => text));
  }
  return false;
}

function noWork(id: string, what: string): ProblemText {
  return {
    code: 'PLAN_GATE_NO_WORK',
    message: `Gate ${id} has nothing to ${what.replace('-', ' ')}: no task of kind implement comes before it`,
    fix: 'add the tasks it judges to its `dependsOn`, or say `onReject: fail`',
  };
}

function tooEarly(id: string, what: string): ProblemText {
  return {
    code: 'PLAN_GATE_BEFORE_END',
    message: `Gate ${id} cannot ${what.replace('-', ' ')} what is verified at the end only: until then nothing is on the run branch`,
    fix: 'say `verify: { when: each }` or `batch`, or `onReject: fail`',
  };
}

function idleRounds(id: string): ProblemText {
  return {
    code: 'PLAN_GATE_ROUNDS',
    message: `Gate ${id} has rounds, and sends nothing back`,
    fix: 'add `onReject: send-back`, or remove `rounds:`',
  };
}

function misplaced(id: string, kind: string): ProblemText {
  return {
    code: 'PLAN_GATE_MISPLACED',
    message: `Task ${id} is of kind ${kind} and has a gate, which only kind manual waits at`,
    fix: 'make it `kind: manual`, or remove `gate:`',
  };
}

function askedTwice(name: string, first: string): ProblemText {
  return {
    code: 'PLAN_GATE_INPUT_TWICE',
    message: `The value ${name} is asked for twice; the first is at ${first}`,
    fix: 'give each value a name of its own',
  };
}

function unanswered(id: string, name: string): ProblemText {
  return {
    code: 'PLAN_GATE_NO_DEFAULT',
    message: `Gate ${id} goes on by itself, and then ${name} has no value`,
    fix: 'add `default:` to it, or make the gate `mode: approve`',
  };
}

function noChoice({ name, value, choices }: Input): ProblemText {
  return {
    code: 'PLAN_GATE_DEFAULT',
    message: `The default of ${name} is ${value ?? ''}, which is none of its choices: ${choices.join(', ')}`,
    fix: 'use one of the choices',
  };
}
