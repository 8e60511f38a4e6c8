import { openSandbox } from '@switchyard/guard';
import type { Finding } from '@switchyard/protocol';
import type { NamedFinding, ReviewerResult } from '@switchyard/review';
import { silentLogger, systemClock } from '@switchyard/runtime';
import { scanScope } from '../scan-scope.ts';
import type { ReviewOrder } from './session-driver.ts';
import type { ModelSubject, SessionModel } from './session-model.ts';
import type { SessionScope } from './session-scope.ts';

/** What reviewers need of this machine. */
export interface EngineOptions {
  readonly sandbox: 'auto' | 'off';
  readonly searchPath: string | undefined;
  /** A model that reviews beside the static engines. */
  readonly model?: SessionModel | undefined;
}

/** Findings that one reviewer takes. */
const findingsMax = 3_000;
/** Percent that is left for what comes after the engines. */
const enginesPercent = 90;

/**
 * The static engines as reviewers: each has a scan process of its own in the sandbox of this process, so that reviewers
 * work side by side and none falls with another. Each announces its result before it hands it in.
 */
export class EngineReviewers {
  private readonly options: EngineOptions;
  private sandbox: ReturnType<typeof openSandbox> | undefined;

  constructor(options: EngineOptions) {
    this.options = options;
  }

  /** Throws AppError E_SANDBOX_UNAVAILABLE, E_EXECUTOR and the like, and the signal's reason. */
  async review(order: ReviewOrder, scope: SessionScope, subject: ModelSubject): Promise<ReviewerResult> {
    const sandbox = await this.open();
    const { dimension, signal, reviewer } = order;
    let progress: EngineProgress | undefined;
    try {
      const review = await scanScope(scope, {
        sandbox,
        specializations: [dimension],
        findingsMax,
        signal,
        more: this.options.model === undefined ? [] : [this.options.model.engine(order, scope, subject)],
        watch: (engines) => (progress = new EngineProgress(order, { engines, files: scope.files.length })),
      });
      await order.announce({ findings: review.findings.length });
      const named = (finding: Finding): NamedFinding => ({
        ...finding,
        fingerprint: review.fingerprints.get(finding) ?? '',
      });
      return {
        reviewer,
        findings: review.findings.map(named),
        suppressed: review.suppressed.map(({ finding, suppression: { reason, until } }) => ({
          finding: named(finding),
          reason,
          until,
        })),
        filesAnalyzed: review.filesAnalyzed,
        strengths: review.strengths,
      };
    } finally {
      progress?.close();
    }
  }

  async close(): Promise<void> {
    // One that could not be opened has told so already.
    const sandbox = await this.sandbox?.catch(() => undefined);
    await Promise.all([sandbox?.close(), this.options.model?.close()]);
  }

  /** Opened once for all; one that could not be opened is tried again by whoever asks next. */
  private open(): ReturnType<typeof openSandbox> {
    const { sandbox: mode, searchPath } = this.options;
    this.sandbox ??= openSandbox({
      mode,
      logger: silentLogger(),
      clock: systemClock,
      ...(searchPath !== undefined && { searchPath }),
    }).catch((error: unknown) => {
      this.sandbox = undefined;
      throw error;
    });
    return this.sandbox;
  }
}

/** How often a reviewer gives a sign of life while an engine is busy; each engine has a time limit of its own. */
const heartbeatMs = 30_000;

/** Percent by the engines that are done, and within one by its files; tools of the policy come on top. */
class EngineProgress {
  private readonly order: ReviewOrder;
  private readonly total: { readonly engines: number; readonly files: number };
  private readonly heart: ReturnType<typeof setInterval>;
  private begun = 0;
  private seen = 0;
  private name = 'opening the engines';

  constructor(order: ReviewOrder, total: { readonly engines: number; readonly files: number }) {
    this.order = order;
    this.total = total;
    this.heart = setInterval(() => this.tell(), heartbeatMs);
    this.tell();
  }

  engine(name: string): void {
    this.begun += 1;
    this.seen = 0;
    this.name = name;
    this.tell();
  }

  file(): void {
    this.seen += 1;
    this.tell();
  }

  close(): void {
    clearInterval(this.heart);
  }

  private tell(): void {
    const { engines, files } = this.total;
    const within = files === 0 ? 0 : Math.min(1, this.seen / files);
    const done = Math.max(0, this.begun - 1 + within) / engines;
    this.order.progress(Math.min(enginesPercent, done * enginesPercent), this.name);
  }
}
