import { z } from 'zod';
import { askToolName } from '../mcp/ask-tool.ts';
import { defineTool, type Tool } from './tool.ts';

const attemptCompletion = defineTool({
  name: 'attempt_completion',
  group: 'always',
  description:
    'Ends the work. Call it, alone, when everything is done: the acceptance commands then run on a fresh checkout, and decide.',
  input: z.object({ result: z.string().min(1).max(16_000).describe('what was done, for the reviewer') }),
  run: async ({ result }) => ({ kind: 'completed', summary: result.slice(0, 4000) }),
});

const askOrchestrator = defineTool({
  name: askToolName,
  group: 'always',
  description:
    'Asks the orchestrator, or a person, when you cannot go on without an answer. First try what you can find out yourself.',
  input: z.object({
    question: z.string().min(1).max(4000),
    attempted_solutions: z.array(z.string().max(1000)).max(20).default([]).describe('what you tried'),
  }),
  async run({ question, attempted_solutions: attemptedSolutions }, ports) {
    if (ports.ask === undefined) return { kind: 'escalated', reason: question, attemptedSolutions };
    return `The answer: ${await ports.ask(question, attemptedSolutions)}`;
  },
});

export const endingTools: readonly Tool[] = [attemptCompletion, askOrchestrator];
