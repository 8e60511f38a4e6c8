import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import {
  acpExecutor,
  cliExecutor,
  executeTask,
  programSearch,
  readAgents,
  type AttemptModel,
  type ExecutorContext,
  type ExecutorOutcome,
  type Gateway,
  type SpawnOptions,
} from '@switchyard/agents';
import { attemptPathPolicy, openPathGuard, type Sandbox } from '@switchyard/guard';
import type { TaskAssignment } from '@switchyard/protocol';
import { silentLogger, type Clock } from '@switchyard/runtime';

const logger = silentLogger();

interface Place {
  /** The attempt's own folder; its tree lies in it. */
  readonly folder: string;
  readonly tree: string;
  readonly sandbox: Sandbox;
  /** Where the agents are installed. */
  readonly agents: string;
  readonly gateway: Gateway;
  readonly clock: Clock;
}

/** Lets a real agent work in a folder, in the sandbox, its model reached by the gateway alone. */
export async function carryOut(assignment: TaskAssignment, place: Place): Promise<ExecutorOutcome> {
  const { folder, tree, sandbox, gateway, clock } = place;
  const { signal } = new AbortController();
  const isInside = sandbox.tier !== 'none';
  const model = await gateway.open(assignment, { isInside, logger, signal });
  const files = openPathGuard(
    attemptPathPolicy({ tree, workspace: assignment.workspace, reads: assignment.reads }),
  );
  const context: ExecutorContext = {
    run: () => Promise.reject(new Error('these agents run their commands themselves')),
    spawn: (argv, asked) => start(argv, asked, { ...place, model, signal }),
    files,
    model: model.endpoint,
    event: () => undefined,
    ask: ({ reason }) => Promise.reject(new Error(`nobody answers: ${reason}`)),
    progress: () => undefined,
    signal,
    spawnTask: () => Promise.reject(new Error('nothing is spawned here')),
    offer: () => undefined,
    pausedMs: () => 0,
    readEscalation: () => undefined,
  };
  const task = {
    assignment,
    tree,
    feedbackFile: join(folder, 'feedback.json'),
    upstreamFile: join(folder, 'upstream.json'),
    handoverFile: join(folder, 'handover.json'),
    instructionsFile: join(folder, 'instructions.txt'),
    escalationFile: join(folder, 'escalation.json'),
  };
  const programs = programSearch(place.agents, process.env);
  const options = { agents: readAgents(undefined), programs, clock };
  try {
    return await executeTask([cliExecutor(options), acpExecutor(options)], task, context);
  } finally {
    files.close();
    await model.close();
  }
}

interface Launching extends Place {
  readonly model: AttemptModel;
  readonly signal: AbortSignal;
}

function start(
  argv: readonly string[],
  asked: SpawnOptions,
  { folder, tree, sandbox, model, signal }: Launching,
): ReturnType<Sandbox['start']> {
  const home = mkdtempSync(join(folder, 'home-'));
  for (const [name, content] of Object.entries(asked.homeFiles ?? {})) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), content);
  }
  const programs = asked.programFolders ?? [];
  return sandbox.start({
    argv,
    cwd: tree,
    mounts: [
      ...programs.map((source) => ({ kind: 'read' as const, source })),
      { kind: 'write', source: folder },
    ],
    env: { ...asked.env, HOME: home, CI: '1' },
    network: model.sockets.length === 0 ? 'none' : { allow: [], sockets: model.sockets },
    timeoutMs: asked.timeoutMs,
    limits: { processes: 1024, memoryBytes: 16 * 1024 ** 3 },
    signal,
  });
}

/** What an agent has left in its tree beside what was there. */
export function filesBelow(tree: string): Record<string, string> {
  const found = readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(found.map((path) => [relative(tree, path), readFileSync(path, 'utf8')]));
}
