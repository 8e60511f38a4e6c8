import {
  AppError,
  shellWord,
  slugOf,
  unknownTask,
  type KeptKind,
  type KeptWork,
  type RunView,
  type TaskId,
} from '@switchyard/protocol';
import { oneLine } from './show-text.ts';

/** Kept work, and whose it is. */
export interface KeptOfTask extends KeptWork {
  readonly run: string;
  readonly taskId: TaskId;
  /** Its run has not ended. */
  readonly isOpen: boolean;
}

/** What the runs have kept, the newest first. */
export function keptOf(views: readonly RunView[]): KeptOfTask[] {
  return views
    .flatMap((view) =>
      view.tasks.flatMap(({ id, kept = [] }) =>
        kept.map((work) => ({ ...work, run: view.run, taskId: id, isOpen: view.finishedAt === undefined })),
      ),
    )
    .toSorted((a, b) => b.at - a.at);
}

/** Which of a task's kept works a person means. */
export interface KeptChoice {
  readonly attempt?: number | undefined;
  readonly kind?: KeptKind | undefined;
}

/** The one that is meant: of the newest attempt, and a late result before work in progress. Throws AppError E_NOT_FOUND. */
export function chooseKept(view: RunView, taskId: string, choice: KeptChoice): KeptOfTask {
  const task = view.tasks.find(({ id }) => id === taskId);
  if (task === undefined)
    throw unknownTask(
      view.run,
      oneLine(taskId),
      view.tasks.map(({ id }) => oneLine(id)),
    );
  const fitting = keptOf([{ ...view, tasks: [task] }]).filter(
    ({ attempt, kind }) =>
      (choice.attempt ?? attempt) === attempt && (choice.kind === undefined || choice.kind === kind),
  );
  const [chosen] = fitting.toSorted(
    (a, b) => b.attempt - a.attempt || Number(a.kind === 'wip') - Number(b.kind === 'wip'),
  );
  if (chosen !== undefined) return chosen;
  const asked = choice.attempt === undefined ? '' : ` of attempt ${choice.attempt}`;
  throw new AppError(
    'E_NOT_FOUND',
    `nothing${asked} of task ${oneLine(taskId)} is kept; \`switchyard salvage list\` shows what is`,
  );
}

/** `late result` or `work in progress`. */
export function keptName(kind: KeptKind): string {
  return kind === 'wip' ? 'work in progress' : 'late result';
}

/** Words that name one kept work on the command line. */
export function keptWords({
  run,
  taskId,
  attempt,
  kind,
}: Pick<KeptOfTask, 'run' | 'taskId' | 'attempt' | 'kind'>): string {
  return `${run} ${shellWord(oneLine(taskId))} --attempt ${attempt} --kind ${kind}`;
}

/** The branch that `take` makes unless another is named. */
export function keptBranch({ run, taskId, attempt, kind }: KeptOfTask): string {
  return `switchyard/${kind}/${run}/${slugOf(taskId)}-${attempt}`;
}
