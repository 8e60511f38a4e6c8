import { bindStep, canWork } from './bind-step.ts';
import { workingDirectoryIn, type RequestView } from './request-view.ts';
import type { Reply, Script, Step } from './script.ts';

/** Tools that end an agent's work. */
const finishNames = /^(?:attempt_completion|submit_and_exit|task_complete)$/;

/** What a side request (a title, a summary) is answered. */
const aside = '{"title":"scripted"}';

export interface Decision extends Reply {
  /** Which step of the scenario; undefined for a side request. */
  readonly at: number | undefined;
}

/**
 * The next step of a scenario for a request. It follows from the request alone: the tool calls in its history, and the
 * scripted texts that it holds; so a server that was restarted, and agents that ask again, get the same.
 */
export function decide(steps: readonly Step[], view: RequestView, body: string): Decision {
  if (!canWork(view.tools)) return { text: aside, at: undefined, step: undefined };
  const said = steps.filter(
    (step) => 'text' in step && view.texts.some((text) => text.includes(step.text)),
  ).length;
  const at = Math.min(view.calls + said, steps.length - 1);
  const step = steps[at];
  if (step === undefined) return { text: 'the scenario has no steps', at, step };
  if ('text' in step) return finish(step.text, { step, at, view });
  const call = bindStep(step, view.tools, workingDirectoryIn(body));
  if (call === undefined) return { text: `no tool for ${JSON.stringify(step)}`, at, step };
  return { call, text: '', at, step };
}

function finish(
  text: string,
  { step, at, view }: { readonly step: Step; readonly at: number; readonly view: RequestView },
): Decision {
  const tool = view.tools.find(({ name }) => finishNames.test(name));
  if (tool === undefined || tool.name === 'task_complete') return { text, at, step };
  const keys = tool.required.length === 0 ? ['result'] : tool.required;
  const args = Object.fromEntries(
    keys.map((key) => [key, tool.properties[key]?.type === 'boolean' ? true : text]),
  );
  return { call: { name: tool.name, args }, text: '', at, step };
}

/** The scenario that a request is about: by the path, else by the task that its prompt names. */
export function scenarioOf(script: Script, named: string | undefined, body: string): string {
  if (named !== undefined && Object.hasOwn(script, named)) return named;
  const found = Object.keys(script)
    .filter((name) => new RegExp(`Task: ${escaped(name)}(?![\\w-])`).test(body))
    .sort((a, b) => b.length - a.length);
  return found[0] ?? 'default';
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
