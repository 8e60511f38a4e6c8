export interface DraftPrompt {
  readonly goal: string;
  readonly executor: Readonly<Record<string, unknown>>;
  readonly fromGraph: string;
  /** The plan of the round before, and what is wrong with it. */
  readonly before: { readonly text: string; readonly problems: readonly string[] } | undefined;
}

/** So much of a text is shown to the agent: instructions have a limit. */
const shownLength = 20_000;

/** What a drafting agent is told. */
export function draftInstructions({ goal, executor, fromGraph, before }: DraftPrompt): string {
  return `You are the orchestrator: you plan work for others and change nothing yourself; everything is read-only. Read this
repository and hand in a plan, YAML, that reaches the goal by workers in parallel.

Hand it in with the tool hand_in_plan, which programs have from the MCP server switchyard: its answer has the problems of
the plan. Mend them and hand in the whole plan again until it is accepted; then end. Only where you have no such tool, let
the whole plan be the last that you say, as one block that begins with \`\`\`yaml and ends with \`\`\`.

<goal>
${goal.trim()}
</goal>

Analyze first: structure, conventions, build and test commands, the code the goal touches. Then decompose. Rules:
- A task is what one worker can finish and a reviewer can judge. Its instructions are whole: its worker sees nothing else.
- \`workspace\` names the only folders or files a task may write. Tasks that can run at the same time have workspaces that
  do not overlap, also not one inside the other. What several tasks need is a task of its own that they depend on.
- \`dependsOn\` names only what a task really needs: everything else runs in parallel.
- \`acceptance\` has criteria in words, and {run: command} for those that a command proves; \`verify.run\` has the commands
  that prove the merged result.
- A task that changes nothing fails: leave out what the goal does not need.

The form, with the executor to be used as it stands:

version: 1
name: short-name
defaults: { executor: ${JSON.stringify(executor)} }
verify: { run: [npm test], when: end }
tasks:
  - id: auth-models
    instructions: Create the User and Session models with their types in src/auth/models …
    workspace: src/auth/models
    acceptance: [Both models have tests, { run: npx tsc --noEmit }]
  - id: auth-login
    instructions: …
    workspace: [src/auth/login, src/routes/login.ts]
    dependsOn: [auth-models]

What the repository is made of, as a plan that was drafted without thinking. Take from it what is of use:

${fromGraph.slice(0, shownLength)}
${before === undefined ? '' : mending(before)}`;
}

function mending({ text, problems }: NonNullable<DraftPrompt['before']>): string {
  return `
Your last plan has problems. Mend every one of them and hand in the whole plan again.

<problems>
${problems.join('\n').slice(0, shownLength)}
</problems>

<plan>
${text.slice(0, shownLength)}
</plan>
`;
}
