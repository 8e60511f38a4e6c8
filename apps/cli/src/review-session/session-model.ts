import {
  openBudgetGateway,
  reviewByModel,
  type AgentEvent,
  type BudgetGateway,
  type FileAccess,
  type ReviewJob,
} from '@switchyard/agents';
import type { AnalysisFile, Engine } from '@switchyard/analyzers';
import { attemptPathPolicy, openPathGuard } from '@switchyard/guard';
import { AppError, spender, type Spender } from '@switchyard/protocol';
import { silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import { oneLine } from '../show-text.ts';
import type { ReviewOrder } from './session-driver.ts';
import type { SessionScope } from './session-scope.ts';

/** Which model reviews beside the static engines, and for how much money at most. */
export interface SessionModelOptions {
  readonly name: string;
  /** The models file: providers with their keys, quotas and prices. */
  readonly file: string | undefined;
  readonly budgetUsd: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What a model is told of the task whose session it is. */
export interface ModelSubject {
  readonly taskId: string;
  readonly description: string;
  readonly criteria: readonly string[];
}

/** Files that a model may read beside those under review: what the work is measured by. */
const guides = ['docs/specs', 'docs/implementation-plan'];
/** Of one session; a model cannot read more anyway. */
const filesMax = 2_000;
const wordsMax = 8_000;

/**
 * A model that reviews in a session. It reads the files under review, the specification and the plan, and nothing else:
 * a person's checkout also holds what is nobody's business. It runs no command and writes nothing.
 */
export class SessionModel {
  readonly name: string;
  private readonly gateway: BudgetGateway;
  private readonly options: SessionModelOptions;

  /** Throws AppError E_CONFIG for a models file that is none; nothing is opened before a review needs it. */
  constructor(options: SessionModelOptions) {
    const { name, file, env, budgetUsd } = options;
    this.name = name;
    this.options = options;
    const around = { file, env, clock: systemClock, random: systemRandom, logger: silentLogger() };
    this.gateway = openBudgetGateway(around, budgetUsd);
  }

  /** The model as an engine beside the static ones, for one reviewer. */
  engine(order: ReviewOrder, scope: SessionScope, subject: ModelSubject): Engine {
    const { name } = this;
    let summary = '';
    return {
      name: 'llm',
      specializations: [order.dimension],
      analyze: async () => {
        const files = scope.files
          .filter(({ change, binary }) => change !== 'deleted' && !binary)
          .slice(0, filesMax);
        if (files.length === 0) return [];
        const reads = [...files.map(({ path }) => path), ...guides];
        const guard = openPathGuard(attemptPathPolicy({ tree: scope.root, workspace: [], reads }));
        try {
          const review = await this.ask(order, { scope, subject, files, guard });
          ({ summary } = review);
          return [...review.findings];
        } finally {
          guard.close();
        }
      },
      praise: () => (summary === '' ? undefined : `${name}: ${oneLine(summary)}`),
      // It keeps nothing running.
      close: () => Promise.resolve(),
    };
  }

  close(): Promise<void> {
    return this.gateway.gateway.close();
  }

  private async ask(
    order: ReviewOrder,
    about: {
      readonly scope: SessionScope;
      readonly subject: ModelSubject;
      readonly files: readonly AnalysisFile[];
      readonly guard: FileAccess;
    },
  ): Promise<Awaited<ReturnType<typeof reviewByModel>>> {
    const { scope, subject, files, guard } = about;
    const { signal, dimension } = order;
    const door = await this.gateway.gateway.open(spenderOf(order, subject), {
      isInside: false,
      logger: silentLogger(),
      signal,
    });
    const job: ReviewJob = {
      assignment: {
        taskId: spenderOf(order, subject).taskId,
        description: subject.description.slice(0, wordsMax),
        acceptanceCriteria: [...subject.criteria],
        previousReviewFeedback: [],
        round: 1,
        specialization: dimension,
      },
      root: scope.root,
      files: guard,
      changed: files.map(({ path }) => path),
      diff: scope.all ? '' : changedLinesText(files),
      roomodes: await scope.committed('.roomodes'),
      run: () => Promise.reject(noCommands()),
      signal,
      event: (event) => tell(event, order),
    };
    try {
      return await reviewByModel(job, {
        model: this.options.name,
        endpoint: door.endpoint,
        clock: systemClock,
        random: systemRandom,
      });
    } catch (error) {
      signal.throwIfAborted();
      const { refusal } = this.gateway.permits;
      // A person's to mend; to ask again would bring the same.
      throw refusal === undefined ? error : new AppError('E_CONFIG', refusal, { cause: error });
    } finally {
      await door.close();
    }
  }
}

function spenderOf({ reviewer }: ReviewOrder, { taskId }: ModelSubject): Spender {
  const name = `session-${taskId}`.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-');
  return spender.parse({
    ...{ run: name, taskId, attempt: 1, fence: 1 },
    review: { reviewId: reviewer.replaceAll('_', '-'), sitting: systemRandom.token(20) },
  });
}

function changedLinesText(files: readonly AnalysisFile[]): string {
  const rows = files.map(({ path, change, lines }) => {
    const ranges = lines.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
    return `${change} a/${path}: lines ${ranges}`;
  });
  return `Lines that changed; the rest of the files was there before:\n${rows.join('\n')}`;
}

function noCommands(): AppError {
  return new AppError('E_TOOL_DENIED', 'reviewers of a session run no commands: they read the files');
}

/** Every sign of the model is a sign of the reviewer's life. */
function tell(event: AgentEvent, order: ReviewOrder): void {
  order.progress(
    enginesDone,
    event.kind === 'denied' ? 'the model was refused something' : 'the model reads',
  );
}
const enginesDone = 80;
