import { taskOfWorkerId } from '@switchyard/protocol';
import { z } from 'zod';

/** Arguments that many tools share. */
export const runArgument = z
  .string()
  .max(200)
  .optional()
  .describe(
    'Name of the run, or a beginning of it that no other has. Default: the run you started or spawned into last, else the only one that is running.',
  );
export const taskArgument = z.string().max(200).optional().describe('Id of the task in the run.');
export const workerArgument = z
  .string()
  .max(400)
  .refine((given) => taskOfWorkerId(given) !== undefined, {
    message: 'no workerId that spawn_parallel_instance answered; a task is named by taskId',
  })
  .optional()
  .describe('In place of run and taskId: the workerId that spawn_parallel_instance answered.');
export const noteArgument = z.string().max(4000).default('').describe('Why, for the report.');
