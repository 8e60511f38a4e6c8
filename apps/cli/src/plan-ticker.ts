import { resolve } from 'node:path';
import { isMarkdown } from '@switchyard/plan';
import type { RunHandle } from '@switchyard/client';
import { messageOf, type RunEventKind, type RunView } from '@switchyard/protocol';
import { atMoments } from './at-moments.ts';
import type { CommandContext } from './context.ts';
import { oneLine } from './show-text.ts';
import { tickPlan } from './tick-plan.ts';

const moments: ReadonlySet<RunEventKind> = new Set(['task-completed']);

/**
 * Ticks the boxes of a Markdown plan while its run is followed. A box is ticked once: where a person opens it again,
 * it stays open.
 */
export class PlanTicker {
  private readonly file: string;
  private readonly context: CommandContext;
  private readonly ticked = new Set<string>();
  private reopened: readonly string[] = [];
  private problem: string | undefined;

  constructor(file: string, context: CommandContext) {
    this.file = file;
    this.context = context;
  }

  /** Until the run has ended. What goes wrong is told by `lines`: the run matters more. */
  async followBeside(handle: Pick<RunHandle, 'on' | 'view'>, end: Promise<unknown>): Promise<void> {
    if (!isMarkdown(this.file)) return;
    try {
      await atMoments({ handle, kinds: moments, end }, () => this.update(handle));
    } catch (error) {
      this.problem = messageOf(error);
    }
  }

  private async update(handle: Pick<RunHandle, 'view'>): Promise<void> {
    const tasks = handle.view()?.tasks ?? [];
    const completed = new Set<string>(tasks.filter(({ phase }) => phase === 'completed').map(({ id }) => id));
    if (completed.size === 0) return;
    const { ticked, left } = await tickPlan(resolve(this.context.cwd, this.file), {
      shown: this.file,
      isCompleted: (task) => completed.has(task),
      leave: this.ticked,
    });
    for (const text of ticked) this.ticked.add(text);
    this.reopened = left;
  }

  /** What to say of it when the run is over, and where it stands. */
  lines(view: Pick<RunView, 'tip' | 'base'> | undefined): string[] {
    const { file, ticked, reopened, problem } = this;
    const boxes = (count: number): string => `${count} ${count === 1 ? 'box' : 'boxes'}`;
    const names = reopened.map(oneLine).join(', ');
    const next = view?.tip === view?.base ? '' : '; what is ticked is not run again, so apply this run';
    return [
      ...(ticked.size === 0 ? [] : [`ticked ${boxes(ticked.size)} in ${file}${next}`]),
      ...(reopened.length === 0
        ? []
        : [`${file}: somebody opened ${boxes(reopened.length)} again, left as they are: ${names}`]),
      ...(problem === undefined ? [] : [`${file} is ticked no longer: ${oneLine(problem)}`]),
    ];
  }
}
