import {
  openGateway,
  reviewByModel,
  type AgentEvent,
  type FileAccess,
  type OpenGateway,
  type OpenGatewayOptions,
  type PermitClient,
  type ReviewJob,
} from '@switchyard/agents';
import type { Engine } from '@switchyard/analyzers';
import { attemptPathPolicy, openPathGuard, type Sandbox } from '@switchyard/guard';
import { AppError, isAppError, type ReviewAssignment, type Spender } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import type { ReviewObjects } from './review-objects.ts';

export interface ModelReviewerOptions extends OpenGatewayOptions {
  /** The model that reviews. */
  readonly model: string;
  readonly sandbox: Sandbox;
}

/** One review, as an engine beside the static ones needs it. */
export interface ModelReviewPlace {
  readonly assignment: ReviewAssignment;
  readonly checkout: string;
  readonly objects: ReviewObjects;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** What the daemon's loop tells the model that reviews, and asks of it. */
export interface ReviewTalk extends Pick<PermitClient, 'attach' | 'connected' | 'granted'> {
  /** For how long requests of a review had to wait, in milliseconds. */
  heldMs(review: Pick<ReviewAssignment, 'reviewId'>): number;
}

/** Reviews changes with a model. */
export interface ModelReviewer {
  engine(place: ModelReviewPlace): Engine;
  readonly talk: ReviewTalk;
  close(): Promise<void>;
}

/** Reviews that are over, kept so that what they used can be told again after a lost connection. */
const overMax = 200;

/** Reads what the operator says of models; nothing is opened before a review needs it. Throws AppError E_CONFIG. */
export function openModelReviewer(options: ModelReviewerOptions): ModelReviewer {
  const models = openGateway(options);
  const { permits, gateway } = models;
  const sittings = new Sittings(models, () => options.random.token(20));
  return {
    talk: {
      attach: (wire) => permits.attach(wire),
      connected: () => permits.connected(),
      granted: (grant) => permits.granted(grant),
      heldMs: (review) => sittings.heldMs(review),
    },
    engine: (place) => engineOf(place, { options, gateway, sittings }),
    close: () => gateway.close(),
  };
}

/** What each review is counted for. */
class Sittings {
  private readonly models: OpenGateway;
  private readonly newName: () => string;
  private readonly all = new Map<ReviewAssignment['reviewId'], Spender>();

  constructor(models: OpenGateway, newName: () => string) {
    this.models = models;
    this.newName = newName;
  }

  begin({ run, taskId, attempt, fence, reviewId }: ReviewAssignment): Spender {
    const spender = { run, taskId, attempt, fence, review: { reviewId, sitting: this.newName() } };
    this.all.set(reviewId, spender);
    const [oldest] = this.all.keys();
    if (this.all.size > overMax && oldest !== undefined) this.forget(oldest);
    return spender;
  }

  heldMs({ reviewId }: Pick<ReviewAssignment, 'reviewId'>): number {
    const spender = this.all.get(reviewId);
    return spender === undefined ? 0 : this.models.permits.heldMs(spender);
  }

  private forget(review: ReviewAssignment['reviewId']): void {
    const spender = this.all.get(review);
    this.all.delete(review);
    if (spender === undefined) return;
    this.models.ledger.forget(spender);
    this.models.permits.forget(spender);
  }
}

interface Reviewing {
  readonly options: ModelReviewerOptions;
  readonly gateway: OpenGateway['gateway'];
  readonly sittings: Sittings;
}

function engineOf(place: ModelReviewPlace, reviewing: Reviewing): Engine {
  const { options } = reviewing;
  const { assignment, checkout } = place;
  let summary = '';
  return {
    name: 'llm',
    specializations: [assignment.specialization],
    async analyze({ files }) {
      const changed = files
        .filter(({ change, binary }) => change !== 'deleted' && !binary)
        .map(({ path }) => path);
      const guard = openPathGuard(attemptPathPolicy({ tree: checkout, workspace: [], reads: 'all' }));
      try {
        const review = await ask(place, { ...reviewing, changed, files: guard });
        ({ summary } = review);
        // The model was asked for what the change or the files bring, wherever that shows.
        return review.findings.map((one) => ({ ...one, caused: true }));
      } finally {
        guard.close();
      }
    },
    praise: () => (summary === '' ? undefined : `${options.model}: ${summary}`),
    // It keeps nothing running.
    close: () => Promise.resolve(),
  };
}

interface Asking extends Reviewing {
  readonly changed: readonly string[];
  readonly files: FileAccess;
}

async function ask(place: ModelReviewPlace, { gateway, sittings, options, changed, files }: Asking) {
  const { assignment, objects, checkout, signal, logger } = place;
  const { base, commit } = assignment;
  const door = await gateway.open(sittings.begin(assignment), { isInside: false, logger, signal });
  try {
    const job: ReviewJob = {
      assignment,
      root: checkout,
      files,
      changed,
      // Without a diff it is told to look at the files as a whole.
      diff: assignment.reads === undefined ? await objects.diff(base, commit) : '',
      roomodes: await roomodesOf(place),
      run: ({ argv, timeoutMs }) =>
        runReadOnly(argv, { timeoutMs, checkout, sandbox: options.sandbox, signal }),
      signal,
      event: (event) => tell(event, logger),
    };
    return await reviewByModel(job, { ...options, endpoint: door.endpoint });
  } finally {
    await door.close();
  }
}

/** Of the base: what a reviewer may do is not for the change under review to say. */
async function roomodesOf({ objects, assignment }: ModelReviewPlace): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await objects.readFile(assignment.base, '.roomodes'));
  } catch (error) {
    if (isAppError(error) && error.code === 'E_NOT_FOUND') return undefined;
    throw error;
  }
}

interface ReadOnlyRun {
  readonly timeoutMs: number;
  readonly checkout: string;
  readonly sandbox: Sandbox;
  readonly signal: AbortSignal;
}

/** Runs a command over the checkout, read-only. Throws E_SANDBOX_UNAVAILABLE where nothing would hold it. */
async function runReadOnly(argv: readonly string[], { timeoutMs, checkout, sandbox, signal }: ReadOnlyRun) {
  if (sandbox.tier === 'none')
    throw new AppError(
      'E_SANDBOX_UNAVAILABLE',
      'commands of reviewers may write nothing, and without a sandbox nothing holds them to that; they are refused',
    );
  return sandbox.run({
    argv,
    cwd: checkout,
    mounts: [{ kind: 'read', source: checkout }],
    env: { CI: '1' },
    network: 'none',
    timeoutMs,
    signal,
  });
}

function tell(event: AgentEvent, logger: Logger): void {
  if (event.kind === 'denied')
    logger.warn({ denied: event.what, code: event.code }, 'a reviewer was refused');
  if (event.kind === 'note') logger.info({ note: event.text }, 'model review');
}
