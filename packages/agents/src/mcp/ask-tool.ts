import { z } from 'zod';
import { AttemptEscalated, type Question } from '../question.ts';
import type { OwnTool } from './own-server.ts';

/** What agents call to ask; our own loop has it as a tool of its set. */
export const askToolName = 'ask_orchestrator';

const input = z.object({
  question: z.string().min(1).max(4000),
  attempted_solutions: z.array(z.string().max(1000)).max(20).default([]).describe('what you tried'),
});

/** Lets an agent's own program ask while it works. `escalated`: nobody answered in time, so its attempt ends with it. */
export function askTool(
  ask: (question: Question) => Promise<string>,
  escalated: (question: Question) => void,
): OwnTool {
  return {
    name: askToolName,
    description:
      'Asks the orchestrator, or a person, when you cannot go on without an answer, and waits for it. First try what you can find out yourself.',
    parameters: z.toJSONSchema(input, { io: 'input', target: 'draft-7' }),
    async call(given) {
      const { question, attempted_solutions: attemptedSolutions } = input.parse(given);
      try {
        return `The answer: ${await ask({ reason: question, attemptedSolutions })}`;
      } catch (error) {
        if (!(error instanceof AttemptEscalated)) throw error;
        escalated(error.question);
        return 'Nobody has answered in time. End your turn now: you are started again with the answer.';
      }
    },
  };
}
