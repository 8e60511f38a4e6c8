import {
  executorKinds,
  failureClass,
  followUpModes,
  gateModes,
  gateRejects,
  gateRoundsDefault,
  limits,
  onFailures,
  questionPolicies,
  resumes,
  specializations,
  strategies,
  taskKinds,
} from '@switchyard/protocol';
import { z } from 'zod';

/**
 * The plan as people write it (DESIGN.md section 5): nearly everything may be left out, single values may stand for
 * lists, times are in minutes. Aliases of older tools are resolved before this schema sees the file.
 */

const commandLine = z.string().min(1).max(8000);
const path = z.string().min(1).max(4096);
const label = z.string().min(1).max(100);

/** One, or a list of them. */
const oneOrMany = <Item extends z.ZodType>(item: Item, max: number) =>
  z.union([item, z.array(item).max(max)]);

const minutes = z
  .number()
  .min(1 / 60)
  .max(100_000);

const executor = z.strictObject({
  kind: z.enum(executorKinds).optional().describe('Default: told by run, agent or model; else command.'),
  run: oneOrMany(commandLine, 100)
    .optional()
    .describe('Lines for sh, run in order in the checkout; the first failure ends the task.'),
  agent: label.optional().describe('The agent of an acp or cli executor.'),
  model: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe("The model of an llm executor; of an agent, in place of the agent's own choice."),
  mode: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe(
      "A mode: orchestrator, or one of the repository's .roomodes. Of an acp agent also its session mode, in its own words.",
    ),
});

const specialization = z.enum([
  ...specializations,
  ...specializations.map((name) => `reviewer-${name}` as const),
]);

const reviewFields = z.strictObject({
  mode: z.enum(['required', 'optional', 'never']).optional(),
  specializations: oneOrMany(specialization, 7).optional().describe('Default: chosen from the change.'),
  rounds: z
    .number()
    .int()
    .min(1)
    .max(20)
    .optional()
    .describe('Rejections until a person is asked. Default 3.'),
  timeoutMinutes: minutes.optional().describe(`Default ${limits.reviewTimeoutMs / 60_000}.`),
  onTimeout: z.enum(['escalate', 'approve']).optional(),
  quorum: z
    .number()
    .int()
    .min(1)
    .max(7)
    .optional()
    .describe(
      'Reviewers that have to approve, where the others come to no verdict. Default: all. One rejection rejects all the same.',
    ),
});
const review = z.union([z.enum(['required', 'optional', 'never']), z.boolean(), reviewFields]);

const reads = z.union([z.enum(['all', 'workspace']), z.array(path).min(1).max(100)]);

const acceptance = z.union([
  z.string().min(1).max(4000),
  z.strictObject({ run: commandLine, text: z.string().min(1).max(4000).optional() }),
  z.strictObject({ text: z.string().min(1).max(4000) }),
]);

/** What `defaults` may set for all tasks at once. */
const shared = {
  executor: executor.optional(),
  reads: reads
    .optional()
    .describe(
      'What of the repository the task may read beside its workspace. Default all. Paths of a task of kind review are what it reviews, as it stands; without them it reviews what the run has changed.',
    ),
  requires: z.array(label).max(20).optional().describe('Labels a worker must offer, for example os:linux.'),
  workerType: label.optional(),
  review: review
    .optional()
    .describe('Default: required for kind implement and review, never for verify and manual.'),
  mcpServers: z.array(label).max(20).optional(),
  onFailure: z.enum(onFailures).optional().describe('Default skip-dependents.'),
  timeoutMinutes: minutes.optional().describe(`Of one attempt. Default ${limits.attemptTimeoutMs / 60_000}.`),
  retries: z
    .number()
    .int()
    .min(0)
    .max(20)
    .optional()
    .describe('Caps what the class of a failure allows. Default 2.'),
  followUps: z
    .enum(followUpModes)
    .optional()
    .describe(
      'Tasks that a task hands in through SWITCHYARD_HANDOVER. ask: a gate asks. add: they are added, as long as they write no more and run as the task does. Default ask.',
    ),
  questions: z
    .enum(questionPolicies)
    .optional()
    .describe(
      'What an agent that asks while it works is told. wait: the answer of a person or of the orchestrating agent. decide: at once, that it shall decide by itself. Default wait.',
    ),
  resume: z
    .enum(resumes)
    .optional()
    .describe(
      'Where the attempt after a lost or failed one begins: clean, or with the work in progress of that one. Default clean.',
    ),
};

const gateInputName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, 'a name of small letters, digits and _ that begins with a letter');
const gateInput = z.union([
  gateInputName,
  z.strictObject({
    name: gateInputName,
    text: z.string().max(4000).optional().describe('What is asked, for people.'),
    choices: z.array(z.string().min(1).max(4000)).min(1).max(100).optional().describe('Default: any text.'),
    default: z.string().max(4000).optional().describe('Without it, who approves must give a value.'),
  }),
]);

const gate = z.strictObject({
  mode: z
    .enum(gateModes)
    .optional()
    .describe('approve: fails if nobody answers in time. notify: goes on then. Default approve.'),
  waitMinutes: minutes
    .optional()
    .describe(`Default ${limits.gateWaitMs / 60_000}, for notify ${limits.gateNotifyMs / 60_000}.`),
  inputs: oneOrMany(gateInput, 50)
    .optional()
    .describe('Values that are asked for; later tasks find them as SWITCHYARD_INPUT_<NAME>.'),
  onReject: z
    .enum(gateRejects)
    .optional()
    .describe(
      'What a rejection does. send-back: the work before the gate begins again with the note. roll-back: it is taken off the run branch. Default fail: the gate fails, and no more.',
    ),
  rounds: z
    .number()
    .int()
    .min(1)
    .max(20)
    .optional()
    .describe(`With send-back: how often the gate is asked at most. Default ${gateRoundsDefault}.`),
});

/** One task of the file. */
export const taskOfFile = z.strictObject({
  id: z.string().min(1).max(200).describe('Free text, unique within the plan.'),
  kind: z.enum(taskKinds).optional().describe('Default implement.'),
  instructions: z.string().max(64_000).optional(),
  workspace: oneOrMany(path, 100).optional().describe('Folders or files; the only ones the task may write.'),
  dependsOn: oneOrMany(z.string().min(1).max(200), 1000).optional(),
  estimate: z
    .strictObject({
      minutes: z.number().min(0).max(100_000).optional(),
      rpm: z.number().min(0).max(1_000_000).optional(),
    })
    .optional(),
  acceptance: z
    .union([acceptance, z.array(acceptance).max(100)])
    .optional()
    .describe('Text is for the agent and the reviewer; run is checked in a fresh checkout of the commit.'),
  gate: gate.optional().describe('Of kind manual: how it waits, and what it asks for.'),
  ...shared,
});

const pipelineItemName = z.string().min(1).max(100);
const pipelineItem = z.union([
  pipelineItemName,
  z
    .object({
      name: pipelineItemName,
      after: oneOrMany(pipelineItemName, 100).optional().describe('Items whose steps come first.'),
    })
    .catchall(z.union([z.string().max(4000), z.number(), z.boolean()])),
]);

/** A template of steps, made once for each item. */
export const pipelineOfFile = z.strictObject({
  id: z.string().min(1).max(100).describe('Tasks are called <id>/<item>/<step>.'),
  items: z
    .union([pipelineItem, z.array(pipelineItem).min(1).max(1000)])
    .describe('Names, or maps with a name and values of your own; steps write {{item}} and {{item.<key>}}.'),
  order: z
    .enum(['parallel', 'sequential'])
    .optional()
    .describe('sequential: an item begins when the one before it is through. Default parallel.'),
  dependsOn: oneOrMany(z.string().min(1).max(200), 1000)
    .optional()
    .describe('What comes before the first steps of every item.'),
  steps: z
    .array(taskOfFile)
    .min(1)
    .max(50)
    .describe('Tasks; dependsOn may name other steps. Without it, a step comes after the one above it.'),
});

/** The whole file. */
export const planFile = z.strictObject({
  version: z.literal(1).optional(),
  name: z.string().min(1).max(200).optional().describe('Default: the name of the file.'),
  base: z
    .string()
    .min(1)
    .max(500)
    .optional()
    .describe('Branch, tag or commit. Default: HEAD of the repository.'),
  strategy: z.enum(strategies).optional().describe('Default auto.'),
  limits: z
    .strictObject({
      workers: z
        .number()
        .int()
        .min(1)
        .max(1000)
        .optional()
        .describe(`Attempts at once. Default ${limits.localWorkers}.`),
      rpm: z
        .number()
        .int()
        .min(1)
        .optional()
        .describe('Requests a minute to models, the whole run. Default 3800.'),
      tokensPerMinute: z.number().int().min(1).optional(),
      budgetUsd: z
        .number()
        .min(0)
        .optional()
        .describe('Money for models in dollars, the whole run; then it pauses. Default: no limit.'),
      taskBudgetUsd: z.number().min(0).optional().describe('The same for each task.'),
      wallMinutes: z.number().min(0.1).optional(),
    })
    .optional(),
  retryPolicy: z
    .partialRecord(failureClass, z.number().int().min(0).max(20))
    .optional()
    .describe('Retries for each class of failure.'),
  defaults: z.strictObject(shared).optional().describe('For all tasks that do not say otherwise.'),
  setup: z
    .union([
      commandLine,
      z.array(commandLine).min(1).max(20),
      z.strictObject({
        run: z.union([commandLine, z.array(commandLine).min(1).max(20)]),
        network: oneOrMany(z.string().min(1).max(200), 50).optional(),
      }),
    ])
    .optional()
    .describe('Builds the layer of installed dependencies.'),
  scratch: oneOrMany(path, 100)
    .optional()
    .describe('Patterns of places that are writable, private and thrown away.'),
  include: oneOrMany(path, 100).optional().describe('Untracked files that tasks also need.'),
  verify: z
    .union([
      commandLine,
      z.array(commandLine).max(50),
      z.strictObject({
        run: oneOrMany(commandLine, 50).optional(),
        when: z.enum(['each', 'batch', 'end']).optional(),
        timeoutMinutes: minutes.optional(),
      }),
    ])
    .optional()
    .describe('Run on the merged result. Default when: batch.'),
  pipelines: z
    .array(pipelineOfFile)
    .max(100)
    .optional()
    .describe(
      'Templates of steps for one change each, instantiated for each item; they become ordinary tasks.',
    ),
  tasks: z.array(taskOfFile).min(1).max(limits.planTasks),
});
export type PlanFile = z.output<typeof planFile>;
export type TaskOfFile = z.output<typeof taskOfFile>;
export type ExecutorOfFile = z.output<typeof executor>;
export type GateOfFile = z.output<typeof gate>;
export type ReviewOfFile = z.output<typeof review>;
