import { taskAssignment, type TaskAssignment } from '@switchyard/protocol';
import { systemClock, systemRandom, type Clock } from '@switchyard/runtime';
import { ModelDesk, type Said } from '@switchyard/testkit';
import {
  AttemptEscalated,
  createLlmExecutor,
  executeTask,
  type AgentEvent,
  type ExecutorContext,
  type ExecutorOutcome,
  type LlmLimits,
} from '../src/index.ts';
import { ToolDesk } from './tool-desk.ts';

export interface Setting {
  readonly assignment?: object;
  readonly limits?: Partial<LlmLimits>;
  readonly roomodes?: string;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  readonly context?: Partial<ExecutorContext>;
}

/** Our own loop over a played model and real files; commands are only written down. */
export class LlmBench {
  readonly desk = new ToolDesk({
    'README.md': '# Demo\n',
    'src/a.ts': 'export const a = 1;\n',
    'lib/kept.ts': 'kept\n',
  });
  readonly events: AgentEvent[] = [];
  readonly slept: number[] = [];
  /** Pauses of ours take no time; what watches a request never strikes, unless a test says so. */
  readonly hurried: Clock = {
    ...systemClock,
    after: (delayMs, callback) => {
      if (delayMs >= 100_000) return () => undefined;
      this.slept.push(delayMs);
      return systemClock.after(0, callback);
    },
  };
  private opened: ModelDesk | undefined;

  /** The model of the last task. */
  get model(): ModelDesk {
    if (this.opened === undefined) throw new Error('nothing was performed');
    return this.opened;
  }

  async close(): Promise<void> {
    this.desk.close();
    await this.opened?.close();
  }

  /** Lets the model say these, one after the other, in one attempt. */
  async perform(
    script: Parameters<typeof ModelDesk.open>[0],
    setting: Setting = {},
  ): Promise<ExecutorOutcome> {
    await this.opened?.close();
    const model = await ModelDesk.open(script);
    this.opened = model;
    const executor = createLlmExecutor({
      clock: setting.clock ?? this.hurried,
      random: systemRandom,
      readRoomodes: () => Promise.resolve(setting.roomodes),
      ...(setting.limits !== undefined && { limits: setting.limits }),
    });
    const context: ExecutorContext = {
      run: async (argv, { timeoutMs, writes = 'workspace' }) => {
        this.desk.commands.push({ argv, timeoutMs, writes });
        return this.desk.result;
      },
      spawn: () => Promise.reject(new Error('it spawns nothing')),
      files: this.desk.guard,
      model: model.endpoint,
      event: (event) => void this.events.push(event),
      ask: (question) => Promise.reject(new AttemptEscalated(question)),
      progress: () => undefined,
      signal: setting.signal ?? new AbortController().signal,
      spawnTask: () => Promise.reject(new Error('nothing is spawned here')),
      offer: () => undefined,
      pausedMs: () => 0,
      readEscalation: () => undefined,
      ...setting.context,
    };
    const task = {
      assignment: assignmentOf(setting.assignment ?? {}),
      tree: this.desk.tree,
      feedbackFile: '',
      instructionsFile: '',
      escalationFile: '',
      upstreamFile: '',
      handoverFile: '',
    };
    return executeTask([executor], task, context);
  }
}

export function assignmentOf(extra: object): TaskAssignment {
  return taskAssignment.parse({
    run: 'demo-abc',
    taskId: 'docs',
    attempt: 1,
    fence: 1,
    instructions: 'Write the login module',
    workspacePath: 'src',
    acceptanceCriteria: [],
    kind: 'implement',
    workspace: ['src'],
    reads: 'all',
    executor: { kind: 'llm', model: 'claude-test' },
    acceptance: [{ kind: 'run', run: 'npm test' }],
    timeoutMs: 600_000,
    base: 'a'.repeat(40),
    scratch: [],
    round: 1,
    feedback: [],
    ...extra,
  });
}

export const write = (path: string, content: string) => ({ tool: 'write_to_file', input: { path, content } });
export const complete: Said = { calls: [{ tool: 'attempt_completion', input: { result: 'all done' } }] };
export const done = { kind: 'done', summary: 'all done' };
