import { z } from 'zod';
import { specialization } from './finding.ts';
import { failureClass } from './failure.ts';
import { taskId } from './ids.ts';
import { limits } from './limits.ts';

/**
 * The canonical plan: what `plan` makes of a file, with every default filled in and every alias resolved, and
 * what travels on the wire and stands in the journal. Paths are relative to the repository root, `/` separated,
 * normalized, `.` for the root.
 */

export const taskKinds = ['implement', 'review', 'verify', 'manual'] as const;
export const strategies = ['max-parallel', 'rate-aware', 'critical-path', 'auto'] as const;
export const onFailures = ['fail-run', 'skip-dependents', 'continue', 'escalate'] as const;
/** Where the attempt after one that was lost or has failed begins. */
export const resumes = ['clean', 'wip'] as const;
/** Who answers a question that an attempt asks while it runs: a person or the orchestrating agent, or nobody. */
export const questionPolicies = ['wait', 'decide'] as const;
/** What becomes of the follow-ups that a task hands in. */
export const followUpModes = ['ask', 'add', 'ignore'] as const;
export type Strategy = (typeof strategies)[number];
export type OnFailure = (typeof onFailures)[number];
export type TaskKind = (typeof taskKinds)[number];

const command = z.string().min(1).max(8000);
const path = z.string().min(1).max(4096);
const label = z.string().min(1).max(100);

/** Of a known agent, or of one that the operator's configuration adds. */
const agentName = z.string().min(1).max(100);
const modelName = z.string().min(1).max(200);

export const executorKinds = ['command', 'acp', 'cli', 'llm'] as const;
export const executorSpec = z.discriminatedUnion('kind', [
  /** Each entry is one line for `sh`, run in order in the workspace's checkout; the first failure ends it. */
  z.object({ kind: z.literal('command'), run: z.array(command).max(100) }),
  /** An agent that speaks the Agent Client Protocol. `mode` is one of ours, or one of the agent's own session modes. */
  z.object({
    kind: z.literal('acp'),
    agent: agentName,
    model: modelName.optional(),
    mode: z.string().min(1).max(100).optional(),
  }),
  /** An agent that takes one prompt on its command line and prints what it does as JSON. `mode` is one of ours. */
  z.object({
    kind: z.literal('cli'),
    agent: agentName,
    model: modelName.optional(),
    mode: z.string().min(1).max(100).optional(),
  }),
  /** Our own loop over a model. `mode` is a slug of the repository's `.roomodes`; absent: the worker's own. */
  z.object({ kind: z.literal('llm'), model: modelName, mode: z.string().min(1).max(100).optional() }),
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
  /** Reviewers that have to approve; absent: every one. No more than there are, and one rejection rejects all the same. */
  quorum: z.number().int().min(1).max(7).optional(),
});
export type ReviewSpec = z.infer<typeof reviewSpec>;

export const gateModes = ['approve', 'notify'] as const;
export const gateRejects = ['fail', 'send-back', 'roll-back'] as const;
/** How often a gate is asked, if it sends back and the plan does not say. */
export const gateRoundsDefault = 3;

/** A value that a gate asks for; later tasks find it in their environment. */
export const gateInput = z.object({
  /** `SWITCHYARD_INPUT_` and this in upper case is the variable. */
  name: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/),
  /** What is asked, for people. */
  text: z.string().max(4000),
  /** Empty: any text. */
  choices: z.array(z.string().min(1).max(4000)).max(100),
  /** Taken where the answer leaves it out; absent: the answer must have it. */
  default: z.string().max(4000).optional(),
});
export type GateInput = z.infer<typeof gateInput>;

export const gateSpec = z.object({
  /** `approve`: it fails if nobody answers in time. `notify`: it goes on by itself, unless somebody rejects it. */
  mode: z.enum(gateModes),
  waitMs: z.number().int().min(1000),
  inputs: z.array(gateInput).max(50),
  /**
   * What a rejection does besides failing the gate: `send-back` lets the work before it begin again with the note,
   * `roll-back` takes it off the run branch. Absent: nothing.
   */
  onReject: z.enum(gateRejects).optional(),
  /** How often the gate is asked at most, with `send-back`. */
  rounds: z.number().int().min(1).max(20).optional(),
});
export type GateSpec = z.infer<typeof gateSpec>;

/** What was answered at gates: name to value. */
export const gateValues = z.record(z.string().max(63), z.string().max(4000));
export type GateValues = z.infer<typeof gateValues>;

/** What a task that drafts a plan goes by: how often its agent may hand one in. */
export const draftSpec = z.object({ rounds: z.number().int().min(1).max(limits.draftRoundsMax) });

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
  /** `clean`: from the tip alone; `wip`: with the work in progress of the attempt before. Older plans have none. */
  resume: z.enum(resumes).default('clean'),
  /**
   * `ask`: a gate asks whether they are added; `add`: they are added, as long as they ask for nothing that the task itself
   * was not given, and else a gate asks; `ignore`. Absent: `ask`.
   */
  followUps: z.enum(followUpModes).optional(),
  /** `wait`: until it is answered; `decide`: its agent is told at once to decide by itself. Absent: `wait`. */
  questions: z.enum(questionPolicies).optional(),
  /** Of tasks of kind `manual`; absent: the defaults. */
  gate: gateSpec.optional(),
  /** It drafts a plan, and adds no task. No file says so: only `plan draft` does. */
  draft: draftSpec.optional(),
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
    /** Money for models in dollars, of the whole run and of each task. */
    budgetUsd: z.number().min(0).optional(),
    taskBudgetUsd: z.number().min(0).optional(),
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
