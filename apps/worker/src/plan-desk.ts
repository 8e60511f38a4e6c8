import type { KnownNames } from '@switchyard/agents';
import { limits, type HandedInPlan } from '@switchyard/protocol';

export interface PlanDeskOptions {
  /** How often a plan may be handed in. */
  readonly rounds: number;
  /** The names that plans may use here. */
  readonly names: Partial<KnownNames>;
  /** Says where it stands, one line for people. */
  readonly say: (line: string) => void;
}

/** So many problems, and so much of them, are shown to an agent at once. */
const problemsShown = 50;
const problemChars = 20_000;

/**
 * Where the agent of a task that drafts a plan hands it in: each is checked at once, and its problems are the answer, a few
 * times at most.
 */
export class PlanDesk {
  private readonly options: PlanDeskOptions;
  private last: HandedInPlan | undefined;
  private isAccepted = false;

  constructor(options: PlanDeskOptions) {
    this.options = options;
  }

  /** Takes a plan; the answer is for its agent. */
  async take(text: string): Promise<string> {
    const { rounds, say } = this.options;
    if (this.isAccepted)
      return 'A plan of yours is accepted already. Nothing more is to be done: end your turn.';
    const round = (this.last?.rounds ?? 0) + 1;
    if (round > rounds) return 'No more plans are taken: end your turn.';
    this.last = { text: text.slice(0, limits.draftChars), rounds: round };
    const problems = await problemsOf(text, this.options.names);
    this.isAccepted = problems.length === 0;
    if (this.isAccepted) {
      say(`plan ${round} of ${rounds} is accepted`);
      return 'The plan is accepted. Nothing more is to be done: end your turn.';
    }
    say(`plan ${round} of ${rounds} has ${problems.length} problems`);
    const next =
      round === rounds
        ? 'No more plans are taken: end your turn.'
        : `Mend every one of them and hand in the whole plan again (${rounds - round} left).`;
    const shown = problems.slice(0, problemsShown).join('\n').slice(0, problemChars);
    return `The plan is not accepted; it has ${problems.length} problems:\n${shown}\n${next}`;
  }

  /** What was handed in last; where the tool was not used, what the agent's last words hold. Undefined: nothing. */
  result(lastWords: string): HandedInPlan | undefined {
    if (this.last !== undefined) return this.last;
    const text = fencedYaml(lastWords);
    return text === undefined || text.length > limits.draftChars ? undefined : { text, rounds: 1 };
  }
}

async function problemsOf(text: string, names: Partial<KnownNames>): Promise<string[]> {
  // Loaded when it is needed: few attempts draft a plan.
  const { formatProblem, parsePlan } = await import('@switchyard/plan');
  const { problems } = parsePlan(text, { ...names, file: 'draft.yaml' });
  return problems.filter(({ severity }) => severity === 'error').map(formatProblem);
}

/** The last whole block of YAML in a text; undefined: it has none. */
export function fencedYaml(text: string): string | undefined {
  let open: string[] | undefined;
  let found: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (open === undefined) {
      if (/^\s{0,3}```ya?ml\s*$/i.test(line)) open = [];
    } else if (/^\s{0,3}```\s*$/.test(line)) {
      found = `${open.join('\n')}\n`;
      open = undefined;
    } else open.push(line);
  }
  return found;
}
