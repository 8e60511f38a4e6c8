import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type {
  AgentEvent,
  AgentProcess,
  AgentProcessEnd,
  ExecutorContext,
  ExecutorTask,
  FileGuard,
  ModelEndpoint,
  SpawnOptions,
} from '@switchyard/agents';
import { taskAssignment, type ExecutorSpec } from '@switchyard/protocol';

/** A process whose other end is the test. */
export class FakeProcess implements AgentProcess {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly ended: Promise<AgentProcessEnd>;
  killedFor: string | undefined;
  private settle: (end: AgentProcessEnd) => void = () => undefined;

  constructor() {
    this.ended = new Promise((resolve) => (this.settle = resolve));
  }

  say(...lines: readonly (object | string)[]): this {
    for (const line of lines)
      this.stdout.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
    return this;
  }

  end(end: Partial<AgentProcessEnd> = {}): void {
    this.stdout.end();
    this.stderr.end();
    this.settle({ exitCode: 0, ended: 'exited', durationMs: 1, ...end });
  }

  kill(reason: string): void {
    if (this.killedFor !== undefined) return;
    this.killedFor = reason;
    this.end({ exitCode: 137, ended: 'killed', reason });
  }
}

export interface Spawned extends SpawnOptions {
  readonly argv: readonly string[];
}

const endpoint: ModelEndpoint = {
  anthropic: 'http://127.0.0.1:7421/anthropic',
  openai: 'http://127.0.0.1:7421/openai/v1',
  gemini: 'http://127.0.0.1:7421/gemini',
  token: 'sy-token',
};

/** One attempt whose agent is the test; programs are found in a folder of its own. */
export class AgentBench {
  readonly folder = mkdtempSync(join(tmpdir(), 'switchyard-agents-'));
  readonly process = new FakeProcess();
  /** Processes that are started after the agent, each once. */
  readonly others: FakeProcess[] = [];
  readonly events: AgentEvent[] = [];
  readonly spawned: Spawned[] = [];
  readonly cancel = new AbortController();
  escalation: string | undefined;
  /** How long it was kept from working. */
  pausedMs = 0;
  model: ModelEndpoint | undefined = endpoint;
  files: Partial<FileGuard> = {};
  run: ExecutorContext['run'] = () => Promise.reject(new Error('no command is asked for here'));

  get programs() {
    return { folders: [this.folder], searchPath: '', home: '/home/nobody' };
  }

  install(...names: readonly string[]): void {
    for (const name of names) writeFileSync(join(this.folder, name), '', { mode: 0o755 });
  }

  task(executor: ExecutorSpec, extra: object = {}): ExecutorTask {
    const assignment = taskAssignment.parse({
      run: 'demo-abc',
      taskId: 'auth-login',
      attempt: 1,
      fence: 1,
      instructions: 'Build the login',
      workspacePath: 'src/login',
      acceptanceCriteria: [],
      kind: 'implement',
      workspace: ['src/login'],
      reads: 'all',
      executor,
      acceptance: [],
      timeoutMs: 60_000,
      base: '0'.repeat(40),
      scratch: [],
      round: 1,
      feedback: [],
      ...extra,
    });
    return {
      assignment,
      tree: '/tree',
      feedbackFile: '/in/feedback.json',
      instructionsFile: '/in/instructions.txt',
      escalationFile: '/out/escalation.json',
      upstreamFile: '/in/upstream.json',
      handoverFile: '/out/handover.json',
    };
  }

  context(): ExecutorContext {
    const { process, others, events, spawned, cancel, model } = this;
    const waiting = [process, ...others];
    return {
      run: (argv, options) => this.run(argv, options),
      spawn: (argv, options) => {
        spawned.push({ argv, ...options });
        return Promise.resolve(waiting.shift() ?? process);
      },
      files: this.files as FileGuard,
      ...(model !== undefined && { model }),
      event: (event) => events.push(event),
      ask: () => Promise.reject(new Error('nothing is asked here')),
      progress: () => undefined,
      signal: cancel.signal,
      spawnTask: () => Promise.reject(new Error('nothing is spawned here')),
      offer: () => undefined,
      pausedMs: () => this.pausedMs,
      readEscalation: () => this.escalation,
    };
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
