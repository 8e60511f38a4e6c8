import { resolve } from 'node:path';
import type { RunHandle } from '@switchyard/client';
import { messageOf, type RunEventKind } from '@switchyard/protocol';
import { atMoments } from './at-moments.ts';
import type { CommandContext } from './context.ts';
import { writeProgress } from './progress-file.ts';
import type { Session } from './session.ts';
import { oneLine } from './show-text.ts';

/** Todos, approvals, deployments, blockers, and the end. */
const moments: ReadonlySet<RunEventKind> = new Set([
  'task-completed',
  'task-failed',
  'task-skipped',
  'task-cancelled',
  'task-rejected',
  'task-waiting',
  'task-asks',
  'task-answered',
  'task-sent-back',
  'task-rolled-back',
  'review-verdict',
  'gate-passed',
  'verify-failed',
  'follow-ups',
  'completed',
  'failed',
  'cancelled',
]);

export interface KeeperOptions {
  readonly session: Pick<Session, 'client'>;
  readonly run: string;
  /** As a person wrote it. */
  readonly file: string;
  readonly context: CommandContext;
  /** Told on standard output; else nothing is said where all is well. */
  readonly isTold: boolean;
}

/** Keeps a progress document up to date with a run. */
export class ProgressKeeper {
  private readonly options: KeeperOptions;
  private readonly told = new Set<string>();

  constructor(options: KeeperOptions) {
    this.options = options;
  }

  /** Throws AppError E_USAGE for a file that cannot be written, and what the orchestrator answers. */
  async update(): Promise<void> {
    const { session, run, file, context, isTold } = this.options;
    const { progressSections } = await import('@switchyard/report');
    const { report } = await session.client.report(run);
    const { isChanged, kept } = await writeProgress(
      resolve(context.cwd, file),
      file,
      progressSections(report),
    );
    if (isChanged && isTold) context.terminal.out(`${file} is up to date with ${run}\n`);
    for (const key of kept.filter((one) => !this.told.has(one))) {
      this.told.add(key);
      context.terminal.err(`${file}: the section of ${oneLine(key)} is yours now and stays as it is\n`);
    }
  }

  /** Updates at every moment that counts, one at a time, until the end, and then once more. */
  async follow(handle: Pick<RunHandle, 'on'>, end: Promise<unknown>): Promise<void> {
    await atMoments({ handle, kinds: moments, end }, () => this.update());
  }

  /** The same beside a run that matters more: what goes wrong is told, and the run goes on without. */
  async followBeside(handle: Pick<RunHandle, 'on'>, end: Promise<unknown>): Promise<void> {
    const { file, context } = this.options;
    try {
      await this.follow(handle, end);
    } catch (error) {
      context.terminal.err(`${file} is kept up to date no longer: ${oneLine(messageOf(error))}\n`);
    }
  }
}
