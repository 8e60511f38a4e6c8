import { escalationActions, gateValues, timestampMs, type GateValues } from '@switchyard/protocol';
import { z } from 'zod';
import { noteArgument, runArgument, taskArgument, workerArgument } from '../arguments.ts';
import type { Desk, Named } from '../desk.ts';
import { defineTool, type Answer } from '../tool.ts';

const named = { run: runArgument, taskId: taskArgument, workerId: workerArgument };
const asked = timestampMs
  .optional()
  .describe('What `waiting` calls the asking that you answer: refused if the task has asked again since.');
const answered = z.object({ run: z.string(), taskId: z.string(), answer: z.string() });

/** Answers a task that asks. */
export const answerEscalation = defineTool({
  name: 'answer_escalation',
  title: 'Answer a question of a task',
  description:
    'Answers a task that asks. Kind question: its agent is at work and waits; retry hands it your note, and it goes on. Kind escalation (its attempt has ended): retry tries again and hands your note to the worker, accept takes what it handed in. In both, skip goes on without the task, fail gives it up. Put the answer to its question into note.',
  input: z.strictObject({ ...named, action: z.enum(escalationActions), note: noteArgument, asked }),
  output: answered,
  changes: true,
  run: ({ action, note, asked: since, ...name }, { desk }) =>
    desk.station.ask(async (client) => {
      const task = await desk.task(client, name);
      await client.answerEscalation({ ...task, action, note, asked: since });
      return { structured: { ...task, answer: action } };
    }),
});

interface GateAnswer extends Named {
  readonly approve: boolean;
  readonly note: string;
  readonly inputs: GateValues;
  readonly asked?: number | undefined;
}

async function answerGate(
  desk: Desk,
  { approve, note, inputs, asked: since, ...name }: GateAnswer,
): Promise<Answer<z.infer<typeof answered>>> {
  return desk.station.ask(async (client) => {
    const task = await desk.task(client, name);
    await client.answerGate({ ...task, approve, note, inputs, asked: since });
    return { structured: { ...task, answer: approve ? 'approved' : 'rejected' } };
  });
}

/** Lets a gate pass. */
export const gateApprove = defineTool({
  name: 'gate_approve',
  title: 'Approve a gate',
  description:
    'Lets a task of kind manual pass that waits with kind gate, so that what depends on it starts. A gate is meant for a person: unless your user told you to decide, ask the user first.',
  input: z.strictObject({
    ...named,
    note: noteArgument,
    asked,
    inputs: gateValues.default({}).describe('Values that the gate asks for, by name.'),
  }),
  output: answered,
  changes: true,
  run: (args, { desk }) => answerGate(desk, { ...args, approve: true }),
});

/** Fails a gate. */
export const gateReject = defineTool({
  name: 'gate_reject',
  title: 'Reject a gate',
  description:
    'Rejects a task of kind manual that waits with kind gate: it fails, and what depends on it is skipped. Say why in note.',
  input: z.strictObject({ ...named, note: noteArgument, asked }),
  output: answered,
  changes: true,
  run: (args, { desk }) => answerGate(desk, { ...args, approve: false, inputs: {} }),
});
