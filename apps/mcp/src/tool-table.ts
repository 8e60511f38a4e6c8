import type { Tool } from './tool.ts';
import { answerEscalation, gateApprove, gateReject } from './tools/answers.ts';
import { listWorkers } from './tools/list-workers.ts';
import { planCheck } from './tools/plan-check.ts';
import { report } from './tools/report.ts';
import { reviewRequest } from './tools/review-request.ts';
import { runCancel } from './tools/run-cancel.ts';
import { runStart } from './tools/run-start.ts';
import { runStatus } from './tools/run-status.ts';
import { runWait } from './tools/run-wait.ts';
import { spawnParallelInstance } from './tools/spawn-parallel-instance.ts';
import { taskDiff } from './tools/task-diff.ts';
import { taskOutput } from './tools/task-output.ts';

/** Every tool, in the order of work. */
export const tools: readonly Tool[] = [
  planCheck,
  runStart,
  spawnParallelInstance,
  runWait,
  runStatus,
  runCancel,
  taskOutput,
  taskDiff,
  listWorkers,
  answerEscalation,
  gateApprove,
  gateReject,
  reviewRequest,
  report,
];
