/** The phases of a review session (DESIGN.md section 9), in their order. */
export const sessionPhases = [
  'session_initialization',
  'information_gathering',
  'compliance_validation',
  'status_assessment',
  'intelligent_review_execution',
  'result_integration',
] as const;
export type SessionPhase = (typeof sessionPhases)[number];

/** What the orchestrator of a session does itself, in its order; `run_reviewers` is what reviewers do for it. */
export const sessionSteps = [
  'load_specs',
  'parse_task',
  'retrieve_plan',
  'validate_plan',
  'assess_status',
  'choose_reviewers',
  'run_reviewers',
  'integrate_results',
  'write_report',
  'record_metrics',
  'archive_session',
  'update_task',
  'clean_up',
] as const;
export type SessionStep = (typeof sessionSteps)[number];

interface StepRow {
  readonly phase: SessionPhase;
  /** Percent of the session when the step is done; absent: the step moves nothing. */
  readonly done?: number;
  /** For a todo list: what is to be done, and what is being done. */
  readonly content: string;
  readonly activeForm: string;
}

const row = (
  phase: SessionPhase,
  done: number | undefined,
  [content, activeForm]: readonly [string, string],
): StepRow => ({ phase, content, activeForm, ...(done === undefined ? {} : { done }) });

/** Each step with its phase, its percentage and its words. */
export const stepTable: Readonly<Record<SessionStep, StepRow>> = {
  load_specs: row('information_gathering', undefined, [
    'Load the specification',
    'Loading the specification',
  ]),
  parse_task: row('information_gathering', 15, ['Read the task', 'Reading the task']),
  retrieve_plan: row('information_gathering', 25, [
    'Read the implementation plan',
    'Reading the implementation plan',
  ]),
  validate_plan: row('compliance_validation', undefined, [
    'Check that the plan covers the task',
    'Checking that the plan covers the task',
  ]),
  assess_status: row('status_assessment', undefined, [
    'Look for an earlier review',
    'Looking for an earlier review',
  ]),
  choose_reviewers: row('status_assessment', undefined, ['Choose the reviewers', 'Choosing the reviewers']),
  run_reviewers: row('intelligent_review_execution', undefined, [
    'Run all reviewers',
    'Running all reviewers',
  ]),
  integrate_results: row('result_integration', undefined, [
    'Integrate what the reviewers found',
    'Integrating what the reviewers found',
  ]),
  write_report: row('result_integration', undefined, ['Write the report', 'Writing the report']),
  record_metrics: row('result_integration', 95, ['Record the metrics', 'Recording the metrics']),
  archive_session: row('result_integration', undefined, ['Archive the session', 'Archiving the session']),
  update_task: row('result_integration', undefined, ['Tick the task', 'Ticking the task']),
  clean_up: row('result_integration', undefined, ['Clean up', 'Cleaning up']),
};

/** Percent of the session when a phase begins, and when its last step is done. */
export const phasePercent: Readonly<Record<SessionPhase, { readonly begun: number; readonly done: number }>> =
  {
    session_initialization: { begun: 0, done: 0 },
    information_gathering: { begun: 5, done: 30 },
    compliance_validation: { begun: 35, done: 40 },
    status_assessment: { begun: 45, done: 50 },
    intelligent_review_execution: { begun: 55, done: 90 },
    result_integration: { begun: 92, done: 100 },
  };

/** The last step of a phase. */
export function isLastOfPhase(step: SessionStep): boolean {
  const next = sessionSteps[sessionSteps.indexOf(step) + 1];
  return next === undefined || stepTable[next].phase !== stepTable[step].phase;
}
