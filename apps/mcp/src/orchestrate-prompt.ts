import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** Adds the prompt that walks an agent through a whole orchestration. */
export function addOrchestratePrompt(server: McpServer): void {
  server.registerPrompt(
    'orchestrate',
    {
      title: 'Orchestrate parallel workers',
      description: 'Walks through analyze, decompose, plan, spawn, monitor and verify for a goal.',
      argsSchema: z.object({
        goal: z.string().min(1).max(20_000).describe('What shall be true at the end.'),
      }),
    },
    ({ goal }) => ({
      description: 'How to reach the goal with parallel workers',
      messages: [{ role: 'user', content: { type: 'text', text: textOf(goal) } }],
    }),
  );
}

function textOf(goal: string): string {
  return `Reach this goal by parallel workers. You coordinate; you do not edit files yourself.

<goal>
${goal}
</goal>

1. Analyze. Read the repository: its structure, build and test commands, conventions, and the code the goal touches.
   Call run_status to see what runs already, and list_workers to see how many tasks can run at once.
2. Decompose. Split the goal into tasks that one worker can finish and a reviewer can judge. Each gets a telling id,
   one workspace (a folder or a few files) that no task beside it shares, and criteria that a command can check.
   What several tasks need goes into a task of its own that they depend on.
3. Plan. Write the tasks as a plan in YAML: id, instructions, workspace, dependsOn, acceptance (text, or {run: command}),
   and verify.run with the commands that prove the merged result. Instructions must be whole: a worker sees nothing of
   this conversation. Call plan_check and mend every problem. Show the plan to your user before you start it.
4. Spawn. Call run_start with the plan, or spawn_parallel_instance for one task at a time: spawn what is independent
   without waiting, and name dependsOn for the rest. If spawning answers an error, read it, mend the call, try again.
5. Monitor. Call run_wait; do not poll. When it comes back with attention, read what the task asks: answer questions you
   can answer with answer_escalation, and leave gates to your user unless you were told to decide. When a task fails or
   is rejected again and again, read task_output, then add a better task or cancel the run.
6. Verify. When the run has ended, read the report, look at task_diff of what matters, and call review_request before the
   end of a run where the whole needs a look. Tell your user what is done, with evidence, what is not, and that
   \`switchyard apply RUN\` takes the result.
`;
}
