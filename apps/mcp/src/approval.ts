import { inputRequired, inputResponse } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Asking, Call } from './tool.ts';

/** What a user says to a question, so far. */
export type Approval =
  | { readonly kind: 'approved' }
  | { readonly kind: 'denied'; readonly why: string }
  | { readonly kind: 'asking'; readonly ask: Asking };

const key = 'approve';
const answer = z.object({ approve: z.boolean().describe('Let it be done') });

/**
 * Asks the user of a client before something is done. A client that cannot show a question has asked already, as clients
 * do before they call a tool that changes something; `require` does not take that for an answer.
 */
export function approvalOf({ desk, context, canAsk }: Call, question: string): Approval {
  const { approve } = desk.config;
  if (approve === 'never') return { kind: 'approved' };
  if (!canAsk) return approve === 'ask' ? { kind: 'approved' } : { kind: 'denied', why: cannotAsk };
  const given = inputResponse(context.mcpReq.inputResponses, key);
  if (given.kind !== 'elicit') {
    const ask = inputRequired.elicit({ message: question, requestedSchema: answer });
    return { kind: 'asking', ask: { asking: inputRequired({ inputRequests: { [key]: ask } }) } };
  }
  const isApproved = given.action === 'accept' && answer.safeParse(given.content).data?.approve === true;
  if (isApproved) return { kind: 'approved' };
  // Agents without a person at them dismiss the question by themselves.
  return { kind: 'denied', why: given.action === 'cancel' ? dismissed : 'the user denied it' };
}

const dismissed =
  'the question was dismissed without an answer; where nobody is there to give one, start the server with --approve never';
const cannotAsk =
  'this client cannot ask its user, and the server was started with --approve require; use a client with elicitation, or --approve ask';
