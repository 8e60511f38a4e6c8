import {
  failureClass,
  limits,
  onFailures,
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
  kind: z
    .enum(['command', 'acp', 'llm'])
    .optional()
    .describe('Default: told by run, agent or model; else command.'),
  run: oneOrMany(commandLine, 100)
    .optional()
    .describe('Lines for sh, run in order in the checkout; the first failure ends the task.'),
  agent: label.optional().describe('The agent of an acp executor.'),
  model: z.string().min(1).max(200).optional().describe('The model of an llm executor.'),
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
    .describe('What of the repository the task may read beside its workspace. Default all.'),
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
};

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
  ...shared,
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
      budgetUsd: z.number().min(0).optional(),
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
  tasks: z.array(taskOfFile).min(1).max(limits.planTasks),
});
export type PlanFile = z.output<typeof planFile>;
export type TaskOfFile = z.output<typeof taskOfFile>;
export type ExecutorOfFile = z.output<typeof executor>;
export type ReviewOfFile = z.output<typeof review>;
