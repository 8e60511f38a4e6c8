import {
  peerId,
  type LogFilter,
  type PeerId,
  type Receipt,
  type RunId,
  type RunReport,
} from '@switchyard/protocol';
import type {
  FleetDemand,
  Instances,
  LogLine,
  LogRequest,
  LogSource,
  ReportFiles,
  ReportWriter,
  WorkOf,
  Verifier,
} from '../src/ports.ts';

/** A verification whose outcome a test chooses; by default everything passes. */
export class FakeVerifier implements Verifier {
  readonly asked: Parameters<Verifier['verify']>[0][] = [];
  /** Says whether a commit passes; may throw, or wait. */
  judge: (request: Parameters<Verifier['verify']>[0]) => boolean | Promise<boolean> = () => true;

  async verify(request: Parameters<Verifier['verify']>[0]) {
    this.asked.push(request);
    const passed = await this.judge(request);
    return {
      passed,
      receipts: [receiptOf(request.commit, { command: 'npm test', exitCode: passed ? 0 : 1 })],
    };
  }
}

/** A receipt, passed unless told otherwise. */
export function receiptOf(
  commit: Receipt['commit'],
  { command, exitCode = 0 }: { command: string; exitCode?: number },
): Receipt {
  return {
    criterion: command,
    command,
    commit,
    exitCode,
    ended: 'exited',
    durationMs: 1,
    startedAt: 1,
    outputTail: exitCode === 0 ? '' : 'one test fails',
    truncated: false,
  };
}

/** A local fleet without processes. */
export class FakeInstances implements Instances {
  readonly demands: FleetDemand[] = [];
  readonly local = new Set<PeerId>();
  readonly terminated: PeerId[] = [];
  spawning: { role: 'worker' | 'reviewer'; pid: number; since: number }[] = [];
  stalls = 0;
  why: string | undefined = 'no local workers are started here';

  want(demand: FleetDemand): void {
    this.demands.push(demand);
  }

  get wanted(): FleetDemand | undefined {
    return this.demands.at(-1);
  }

  arrived(peer: PeerId): boolean {
    return this.local.has(peer);
  }

  leaving(): void {}

  isLocal(peer: PeerId): boolean {
    return this.local.has(peer);
  }

  stalled(): void {
    this.stalls += 1;
  }

  hindrance(): string | undefined {
    return this.why;
  }

  starting() {
    return this.spawning;
  }

  terminate(peer: PeerId): boolean {
    if (!this.local.has(peer)) return false;
    this.terminated.push(peer);
    return true;
  }

  cleanup(): Promise<void> {
    return Promise.resolve();
  }
}

/** Reports in memory. */
export class MemoryReports implements ReportWriter {
  readonly written = new Map<RunId, RunReport>();
  /** Why the last one that was written is not published. */
  unpublished: string | undefined;
  /** Called before each is written; throws in its stead. */
  before: () => void = () => undefined;

  async write(report: RunReport, unpublished?: string): Promise<ReportFiles> {
    await Promise.resolve();
    this.unpublished = unpublished;
    this.before();
    this.written.set(report.view.run, report);
    return this.files();
  }

  find(run: RunId): ReportFiles | undefined {
    return this.written.has(run) ? this.files() : undefined;
  }

  drop(run: RunId): Promise<void> {
    this.written.delete(run);
    return Promise.resolve();
  }

  /** Case files by their name. */
  readonly cases = new Map<string, string>();

  async writeCase(file: string, text: string): Promise<void> {
    await Promise.resolve();
    this.before();
    this.cases.set(file, text);
  }

  /** Transcripts by the attempt that they are of. */
  readonly transcripts = new Map<string, string>();

  transcriptOf({ run, taskId, fence, worker }: WorkOf): string | undefined {
    return this.transcripts.get(`${run} ${taskId} ${fence} ${worker}`);
  }

  private files(): ReportFiles {
    return { markdown: 'report.md', html: 'report.html', json: 'report.json' };
  }
}

/** Logs that a test writes. */
export class FakeLogs implements LogSource {
  earlier: LogLine[] = [];
  readonly feeds = new Set<(line: LogLine) => void>();
  readonly filters: LogFilter[] = [];
  readonly received: { peer: PeerId; line: string }[] = [];

  open({ filter, tail, onLine }: LogRequest) {
    this.filters.push(filter);
    if (onLine !== undefined) this.feeds.add(onLine);
    const lines = tail === 0 ? [] : this.earlier.slice(-tail);
    return Promise.resolve({ lines, close: () => void (onLine !== undefined && this.feeds.delete(onLine)) });
  }

  write(line: string, daemon = 'worker-1'): void {
    for (const feed of this.feeds) feed({ daemon, line });
  }

  receive(peer: PeerId, line: string): void {
    this.received.push({ peer, line });
  }
}

export const peer = (name: string): PeerId => peerId.parse(name);
