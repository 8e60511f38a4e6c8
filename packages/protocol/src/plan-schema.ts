import { z } from 'zod';
import { specialization } from './finding.ts';
import { failureClass } from './failure.ts';
import { taskId } from './ids.ts';

/**
 * The canonical plan: what `plan` makes of a file, with every default filled in and every alias resolved, and
 * what travels on the wire and stands in the journal. Paths are relative to the repository root, `/` separated,
 * normalized, `.` for the root.
 */

export const taskKinds = ['implement', 'review', 'verify', 'manual'] as const;
export const strategies = ['max-parallel', 'rate-aware', 'critical-path', 'auto'] as const;
export const onFailures = ['fail-run', 'skip-dependents', 'continue', 'escalate'] as const;
export type Strategy = (typeof strategies)[number];
export type OnFailure = (typeof onFailures)[number];
export type TaskKind = (typeof taskKinds)[number];

const command = z.string().min(1).max(8000);
const path = z.string().min(1).max(4096);
const label = z.string().min(1).max(100);

export const executorSpec = z.discriminatedUnion('kind', [
  /** Each entry is one line for `sh`, run in order in the workspace's checkout; the first failure ends it. */
  z.object({ kind: z.literal('command'), run: z.array(command).max(100) }),
  z.object({ kind: z.literal('acp'), agent: z.string().min(1).max(100) }),
  z.object({ kind: z.literal('llm'), model: z.string().min(1).max(200) }),
]);
export type ExecutorSpec = z.infer<typeof executorSpec>;

export const acceptanceItem = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('text'), text: z.string().min(1).max(4000) }),
  z.object({ kind: z.literal('run'), run: command, text: z.string().max(4000).optional() }),
]);
export type AcceptanceItem = z.infer<typeof acceptanceItem>;

export const reviewSpec = z.object({
  mode: z.enum(['required', 'optional', 'never']),
  /** Empty: chosen from the change (DESIGN.md section 9). */
  specializations: z.array(specialization).max(7),
  rounds: z.number().int().min(1).max(20),
  timeoutMs: z.number().int().min(1000),
  onTimeout: z.enum(['escalate', 'approve']),
});
export type ReviewSpec = z.infer<typeof reviewSpec>;

export const readsSpec = z.union([z.enum(['all', 'workspace']), z.array(path).min(1).max(100)]);

export const planTask = z.object({
  id: taskId,
  kind: z.enum(taskKinds),
  instructions: z.string().max(64_000),
  /** The only writable paths, folders or files; empty for tasks that write nothing. */
  workspace: z.array(path).max(100),
  reads: readsSpec,
  dependsOn: z.array(taskId).max(1000),
  workerType: label.optional(),
  /** Labels a worker must offer, for example `os:linux`. */
  requires: z.array(label).max(20),
  estimate: z.object({
    minutes: z.number().min(0).max(100_000).optional(),
    /** Requests a minute to a model. */
    rpm: z.number().min(0).max(1_000_000).optional(),
  }),
  executor: executorSpec,
  acceptance: z.array(acceptanceItem).max(100),
  review: reviewSpec,
  mcpServers: z.array(label).max(20),
  onFailure: z.enum(onFailures),
  timeoutMs: z.number().int().min(1000),
  /** Caps the retries of every failure class (`limits` of the class: DESIGN.md section 6). */
  retries: z.number().int().min(0).max(20),
});
export type PlanTask = z.infer<typeof planTask>;

export const plan = z.object({
  version: z.literal(1),
  name: z.string().min(1).max(200),
  /** Branch, tag or commit; absent: HEAD of the repository. */
  base: z.string().min(1).max(500).optional(),
  strategy: z.enum(strategies),
  limits: z.object({
    /** Attempts at once. */
    workers: z.number().int().min(1).max(1000),
    /** Requests a minute to models, the whole run. */
    rpm: z.number().int().min(1),
    tokensPerMinute: z.number().int().min(1).optional(),
    budgetUsd: z.number().min(0).optional(),
    wallMinutes: z.number().min(0.1).optional(),
  }),
  /** Overrides of the default retries per failure class. */
  retryPolicy: z.partialRecord(failureClass, z.number().int().min(0).max(20)),
  setup: z
    .object({
      run: z.array(command).min(1).max(20),
      /** Non-empty: the set-up may use the network. */
      network: z.array(z.string().min(1).max(200)).max(50),
    })
    .optional(),
  scratch: z.array(path).max(100),
  include: z.array(path).max(100),
  verify: z.object({
    run: z.array(command).max(50),
    when: z.enum(['each', 'batch', 'end']),
    timeoutMs: z.number().int().min(1000),
  }),
  tasks: z.array(planTask).min(1).max(10_000),
});
export type Plan = z.infer<typeof plan>;

/** What is wrong with a plan file: one problem, with its place and a fix. */
export const planProblem = z.object({
  severity: z.enum(['error', 'warning']),
  code: z.string().regex(/^PLAN_[A-Z_]+$/),
  file: z.string(),
  line: z.number().int().min(1),
  column: z.number().int().min(1),
  message: z.string(),
  fix: z.string(),
});
export type PlanProblem = z.infer<typeof planProblem>;
