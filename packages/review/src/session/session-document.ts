import { specialization } from '@switchyard/protocol';
import { z } from 'zod';
import { sessionPhases, sessionSteps } from './session-phases.ts';

/**
 * The state of a session is what its file says, under the file's names, so that nothing is lost between the two. The
 * names are those of the specification of review sessions; what stands under "further" is ours.
 */

/** The version of the file's form. A file without one is of version 1. */
export const sessionSchemaVersion = 1;

const time = z.iso.datetime({ error: 'an ISO time in UTC, such as 2026-03-01T10:00:00.000Z' });
const maybeTime = time.nullable();
const count = z.number().int().min(0);
const percent = z.number().min(0).max(100);
const words = z.string().max(8000);
/** Ids of tasks that were written without quotes are numbers to YAML. */
const idText = z.union([z.string().min(1).max(200), z.number().transform(String)]);

export const overallStatuses = ['initializing', 'in_progress', 'completing', 'completed', 'failed'] as const;
export type OverallStatus = (typeof overallStatuses)[number];

export const reviewerStatuses = [
  'registered',
  'starting',
  'in_progress',
  'completing',
  'completed',
  'failed',
  'error',
] as const;
export type ReviewerStatus = (typeof reviewerStatuses)[number];

/** What can go wrong, with three ways of going on: by the matrix, by a person's help, not at all. */
export const errorClasses = [
  'io_error',
  'parsing_error',
  'logic_error',
  'system_error',
  'configuration_error',
  'missing_dependency',
  'permission_error',
  'architecture_conflict',
  'data_corruption',
  'security_violation',
] as const;
export type SessionErrorClass = (typeof errorClasses)[number];

const sessionError = z.strictObject({
  at: time,
  error_class: z.enum(errorClasses),
  /** A reviewer, or a step of the orchestrator. */
  source: z.string().max(200),
  message: words,
  /** What a person can do. */
  instructions: words.nullable(),
});
export type SessionError = z.infer<typeof sessionError>;

export const conclusions = ['passed', 'changes_required', 'incomplete'] as const;
export type Conclusion = (typeof conclusions)[number];

const reviewSession = z.strictObject({
  task_id: idText,
  session_id: z.uuid(),
  orchestrator_id: z.literal('reviewer-orchestrator'),
  created_at: time,
  last_updated: time,
  overall_status: z.enum(overallStatuses),
  // Further.
  schema_version: z.literal(sessionSchemaVersion).default(sessionSchemaVersion),
  current_phase: z.enum(sessionPhases).default('session_initialization'),
  completed_at: maybeTime.default(null),
  conclusion: z.enum(conclusions).nullable().default(null),
  /** Why it ended before its end. */
  ended_because: words.nullable().default(null),
});

/** Quality checkpoints: every one holds, or the session does not complete. */
export const checkpointNames = [
  'documents_loaded',
  'plan_consistent',
  'reviewers_cover',
  'results_integrated',
  'output_readable',
] as const;
export type CheckpointName = (typeof checkpointNames)[number];

/** What a session leaves behind; all of it is there before it is completed. */
export const deliverableNames = ['report', 'archive', 'task_status', 'clean_up'] as const;
export type DeliverableName = (typeof deliverableNames)[number];

const flags = <Name extends string>(names: readonly [Name, ...Name[]]) =>
  z.strictObject(Object.fromEntries(names.map((name) => [name, z.boolean().default(false)]))) as z.ZodObject<
    Record<Name, z.ZodDefault<z.ZodBoolean>>
  >;

const recoveryEntry = z.strictObject({
  at: time,
  strategy: z.enum(['continue', 'restart', 'abort']),
  reason: words,
  /** Reviewers that begin anew. */
  reviewers: z.array(z.string().max(200)),
});

const sessionMetadata = z.strictObject({
  project_root: z.string().min(1).max(4096),
  specs_loaded: z.boolean(),
  plan_validated: z.boolean(),
  strategy_determined: z.boolean(),
  // Further.
  /** What was asked for when it began, so that whoever goes on asks for the same. */
  request: z
    .strictObject({
      since: z.string().max(1000).nullable(),
      reviewers: z.array(specialization).nullable(),
      template: z.string().max(4096).nullable(),
      model: z.string().max(200).nullable().default(null),
    })
    .default({ since: null, reviewers: null, template: null, model: null }),
  completed_steps: z.array(z.enum(sessionSteps)).default([]),
  task_title: words.nullable().default(null),
  task_complexity: z.enum(['low', 'medium', 'high']).nullable().default(null),
  /** Of specification, task and plan, to tell whether a session may go on. */
  inputs_digest: z.string().max(200).nullable().default(null),
  /** Of the files under review. */
  scope_digest: z.string().max(200).nullable().default(null),
  project_type: z.enum(['front end', 'back end', 'full stack']).nullable().default(null),
  strategy_reason: words.nullable().default(null),
  scope: words.nullable().default(null),
  brownfield: z
    .object({
      is_brownfield: z.boolean(),
      previous_report: z.string().max(4096).nullable(),
      earlier_findings: count,
    })
    .default({ is_brownfield: false, previous_report: null, earlier_findings: 0 }),
  accepted_failure_share: z.number().min(0).max(1).default(0.25),
  recovery: z.array(recoveryEntry).default([]),
  warnings: z.array(words).default([]),
  checkpoints: flags(checkpointNames).prefault({}),
  deliverables: flags(deliverableNames).prefault({}),
  /** Why the task was ticked, or why not. */
  task_status: words.nullable().default(null),
});

const reviewerState = z.strictObject({
  reviewer_id: z
    .string()
    .regex(/^task-reviewer_[a-z-]+$/, 'task-reviewer_ and a dimension, such as task-reviewer_security')
    .refine(
      (name) => specialization.safeParse(name.slice('task-reviewer_'.length)).success,
      `one of ${specialization.options.map((name) => `task-reviewer_${name}`).join(', ')}`,
    ),
  status: z.enum(reviewerStatuses),
  assigned_at: maybeTime,
  started_at: maybeTime,
  last_heartbeat: maybeTime,
  progress_percentage: percent,
  current_phase: z.string().max(200),
  error_count: count,
  retry_count: count,
  // Further.
  /** Launches, also those that the end of an orchestrator cut off. */
  attempt: count.default(0),
  acknowledged_at: maybeTime.default(null),
  completed_at: maybeTime.default(null),
  /** When the next try begins, where one is owed. */
  next_attempt_at: maybeTime.default(null),
  focus: z.array(words).default([]),
  reason: words.nullable().default(null),
  findings: count.nullable().default(null),
  result_file: z.string().max(4096).nullable().default(null),
  result_sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits')
    .nullable()
    .default(null),
  /** Errors of each class, which the matrix counts. */
  errors_by_class: z.partialRecord(z.enum(errorClasses), count).default({}),
  last_error: sessionError.nullable().default(null),
});
export type ReviewerState = z.infer<typeof reviewerState>;

const coordinationState = z.strictObject({
  active_reviewers: count,
  completed_reviewers: count,
  failed_reviewers: count,
  total_reviewers: count,
  completion_percentage: percent,
  estimated_completion: maybeTime,
});

const errorTracking = z.strictObject({
  total_errors: count,
  recoverable_errors: count,
  fatal_errors: count,
  last_error: sessionError.nullable(),
  recovery_attempts: count,
  // Further.
  /** Errors of each step, which the matrix counts. */
  errors_by_step: z.partialRecord(z.enum(sessionSteps), count).default({}),
  /** What a person has to look at. */
  escalations: z.array(sessionError).default([]),
});

const metrics = z.strictObject({
  total_execution_ms: count,
  reviewer_durations_ms: z.record(z.string(), count),
  reviewer_success_rate: z.number().min(0).max(1),
  reviewer_failure_rate: z.number().min(0).max(1),
  errors: count,
  recovery_attempts: count,
  recovered_reviewers: count,
  quality_score: z.number().min(0).max(100),
  quality_formula: words,
});
export type SessionMetrics = z.infer<typeof metrics>;

const todoItem = z.strictObject({
  content: words,
  status: z.enum(['pending', 'in_progress', 'completed']),
  activeForm: words,
  priority: z.enum(['high', 'medium', 'low']),
});
export type TodoItem = z.infer<typeof todoItem>;

/** The whole file. */
export const sessionDocument = z.strictObject({
  review_session: reviewSession,
  session_metadata: sessionMetadata,
  reviewers: z.array(reviewerState),
  coordination_state: coordinationState,
  error_tracking: errorTracking,
  // Further.
  metrics: metrics.nullable().default(null),
  /** Follows from the rest; kept for people and other programs that read the file. */
  todo_list: z.array(todoItem).default([]),
});
export type SessionDocument = z.infer<typeof sessionDocument>;

/** What a machine keeps: the file without what follows from the rest. */
export type SessionState = Omit<SessionDocument, 'todo_list'>;
