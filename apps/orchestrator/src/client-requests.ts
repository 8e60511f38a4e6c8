import {
  agentOfLabel,
  AppError,
  failedReceipt,
  isAppError,
  messageOf,
  type Envelope,
  type MessageId,
  type MessageType,
  type PayloadInput,
  type PayloadOf,
  type PeerId,
  type PlanTask,
  type RunId,
  type TaskId,
} from '@switchyard/protocol';
import { checkAddedTasks, type AddedOptions } from '@switchyard/plan';
import { summaryOf, viewOf, type RunInput } from '@switchyard/scheduler';
import { fleetView } from './fleet-view.ts';
import type { LogLine } from './ports.ts';
import { buildReport, reportForWire } from './run-report.ts';
import type { RunKeeper } from './run-keeper.ts';
import { submitRun, type RequestContext } from './submit.ts';

type Answer = { [T in MessageType]: { readonly type: T; readonly payload: PayloadInput<T> } }[MessageType];
/** An answer that shows the state: made when the state is what the journal is about to have. */
interface Showing {
  readonly show: () => Answer;
}
type Handler<T extends MessageType> = (
  payload: PayloadOf<T>,
  request: Asked,
  context: RequestContext,
) => Answer | Showing | Promise<Answer>;

const done: Answer = { type: 'done', payload: {} };

/** Every request of `client`; what is not here is no request. */
const handlers: { readonly [T in MessageType]?: Handler<T> } = {
  'run-submit': async ({ plan, file }, _request, context) => ({
    type: 'run-submitted',
    payload: { run: await submitRun(context, plan, file) },
  }),
  'run-list': (_payload, _request, { loop }) => ({
    show: () => ({
      type: 'run-listed',
      payload: { runs: [...loop.keepers.values()].map((keeper) => summaryOf(keeper.state)) },
    }),
  }),
  'run-get': ({ run }, _request, context) => {
    const keeper = keeperOf(context, run);
    return { show: () => ({ type: 'run-got', payload: { view: viewOf(keeper.state) } }) };
  },
  'run-cancel': ({ run, taskId, reason }, _request, context) =>
    tell(context, run, { kind: 'cancel', taskId, reason }),
  'run-pause': ({ run, reason }, _request, context) => tell(context, run, { kind: 'pause', reason }),
  'run-resume': ({ run }, _request, context) => tell(context, run, { kind: 'resume' }),
  'run-rollback': async (payload, _request, context) => ({
    type: 'run-rolled-back',
    payload: await rollBack(context, payload),
  }),
  'budget-raise': ({ run, usd, perTask }, _request, context) =>
    tell(context, run, { kind: 'raise-budget', usd, perTask }),
  'run-add-tasks': ({ run, tasks }, _request, context) => addTasks(context, run, tasks),
  'gate-answer': ({ run, ...answer }, _request, context) =>
    tell(context, run, { kind: 'gate-answered', ...answer }),
  'escalation-answer': ({ run, ...given }, _request, context) => {
    const answer = tell(context, run, { kind: 'escalation-answered', ...given });
    tellAttempt(context, run, given.taskId);
    return answer;
  },
  'kept-take-up': ({ run, taskId, attempt, kind: what }, _request, context) =>
    tell(context, run, { kind: 'take-up', taskId, attempt, what }),
  'report-get': ({ run }, _request, context) => {
    const keeper = keeperOf(context, run);
    const files = context.ports.reports.find(run);
    return {
      show: () => {
        const report = reportForWire(buildReport(keeper, context.ports));
        return { type: 'report-got', payload: files === undefined ? { report } : { report, files } };
      },
    };
  },
  'run-apply': async ({ run }, _request, context) => ({
    type: 'run-applied',
    payload: await apply(context, run),
  }),
  'fleet-get': (_payload, _request, { fleet, ports }) => ({
    type: 'fleet-got',
    payload: {
      hub: ports.settings.hubName,
      url: ports.door.url,
      version: ports.settings.version,
      peers: fleetView(fleet, ports.instances),
    },
  }),
  'worker-terminate': ({ peer }, _request, { fleet, ports, send }) => {
    if (fleet.get(peer) === undefined)
      throw new AppError('E_USAGE', `no worker or reviewer is called ${peer}`);
    if (!ports.instances.terminate(peer)) send(peer, 'shutdown', { reason: 'asked by a person' });
    return done;
  },
  'worker-revoke': ({ peer }, _request, { fleet, ports }) => {
    if (!ports.door.revoke(peer)) {
      const mend = `\`switchyard workers stop ${peer}\` ends a process of this machine`;
      throw new AppError(
        'E_USAGE',
        `nobody was invited as ${peer}, so there is no token to take away; ${mend}`,
      );
    }
    ports.logger.warn({ worker: peer }, 'the token of a peer was taken away');
    fleet.died(peer, 'its token was taken away');
    return done;
  },
  'fleet-shutdown': ({ reason }, _request, { loop, ports }) => {
    loop.afterCommit(() => ports.stop(reason));
    return done;
  },
  invite: ({ role }, _request, { ports }) => ({ type: 'invited', payload: ports.door.invite(role) }),
  'logs-get': async ({ filter, tail, follow }, { from, id }, { ports, watchers }) => {
    const onLine = (line: LogLine): void => watchers.line(from, id, line);
    const feed = await ports.logs.open({ filter, tail, ...(follow ? { onLine } : {}) });
    watchers.feed(from, feed.close);
    return { type: 'logs-got', payload: { lines: [...feed.lines] } };
  },
};

/**
 * Answers one request of a client: resolves when the answer has left; undefined: it is no request. Errors are
 * answered, never thrown.
 */
export function receiveRequest(envelope: Envelope, context: RequestContext): Promise<void> | undefined {
  const handler = handlers[envelope.type] as Handler<MessageType> | undefined;
  if (handler === undefined && envelope.type !== 'run-watch') return undefined;
  return answerRequest(envelope, handler, context);
}

async function answerRequest(
  envelope: Envelope,
  handler: Handler<MessageType> | undefined,
  context: RequestContext,
): Promise<void> {
  const asked = { from: envelope.from, id: envelope.id };
  try {
    if (envelope.type === 'run-watch') return await watch(envelope, context);
    const answer = await handler?.(envelope.payload, asked, context);
    if (answer !== undefined) await reply(context, asked, 'show' in answer ? answer.show : () => answer);
  } catch (error) {
    if (!isAppError(error))
      context.ports.logger.error({ request: envelope.type, err: error }, 'a request failed');
    const payload = errorPayload(error);
    await reply(context, asked, () => ({ type: 'error', payload }));
  }
}

/**
 * Answers a gate for who speaks to us without the hub; resolves when the journal has it. Rejects with AppError
 * E_RUN_UNKNOWN, E_TASK_UNKNOWN, E_RUN_STATE and E_GATE_INPUTS.
 */
export async function answerGate(payload: PayloadOf<'gate-answer'>, context: RequestContext): Promise<void> {
  const { run, ...answer } = payload;
  tell(context, run, { kind: 'gate-answered', ...answer });
  await new Promise<void>((resolve) => context.loop.tell(() => resolve));
}

interface Asked {
  readonly from: PeerId;
  readonly id: MessageId;
}

/** The answer leaves when the journal has what the request decided. */
function reply(context: RequestContext, asked: Asked, show: () => Answer): Promise<void> {
  return new Promise((resolve) => {
    context.loop.tell(() => {
      const answer = show();
      return () => {
        sendAnswer(context, asked, answer);
        resolve();
      };
    });
  });
}

/**
 * Watching begins where the view stands that is shown, so that the answer comes first and the events after it follow
 * without a gap.
 */
function watch({ id, from, payload }: Envelope<'run-watch'>, context: RequestContext): Promise<void> {
  const keeper = keeperOf(context, payload.run);
  return new Promise((resolve) => {
    context.loop.tell(() => {
      const answer = { view: viewOf(keeper.state), seq: keeper.events.length };
      return () => {
        sendAnswer(context, { from, id }, { type: 'run-watched', payload: answer });
        context.watchers.watch(from, keeper, payload.after);
        resolve();
      };
    });
  });
}

/** Sends an answer; one that fits into no message is replaced by an error that says so. */
function sendAnswer(context: RequestContext, { from, id }: Asked, answer: Answer): void {
  try {
    context.send(from, answer.type, answer.payload, { replyTo: id });
  } catch (error) {
    if (!isAppError(error)) throw error;
    context.ports.logger.error({ answer: answer.type, err: error }, 'an answer cannot be sent');
    const message = `the answer cannot be sent: ${error.message}`.slice(0, 4000);
    context.send(from, 'error', { code: 'E_TOO_LARGE', message }, { replyTo: id });
  }
}

function errorPayload(error: unknown): PayloadInput<'error'> {
  const message = messageOf(error).slice(0, 4000);
  if (!isAppError(error)) return { code: 'E_INTERNAL', message };
  return { code: error.code, message, details: { ...error.details } };
}

function keeperOf(context: RequestContext, run: RunId): RunKeeper {
  const keeper = context.loop.keepers.get(run);
  if (keeper === undefined)
    throw new AppError('E_RUN_UNKNOWN', `there is no run ${run}; \`switchyard runs\` lists them`);
  return keeper;
}

/** Grows a running run by tasks that the checks of a plan let pass. */
function addTasks(context: RequestContext, run: RunId, tasks: readonly PlanTask[]): Answer {
  const { plan } = keeperOf(context, run).state;
  const wrong = checkAddedTasks(plan, tasks, namesOf(context)).filter(({ severity }) => severity === 'error');
  if (wrong.length > 0) {
    const shown = wrong.slice(0, 20).map(({ message, fix }) => `${message}; ${fix}`);
    throw new AppError('E_PLAN_INVALID', shown.join('\n'), { details: { problems: wrong.slice(0, 200) } });
  }
  return tell(context, run, { kind: 'add-tasks', tasks });
}

/** What this machine knows, and what workers of other machines offer that describe agents of their own. */
function namesOf({ ports, fleet }: RequestContext): AddedOptions {
  const { agents, mcpServers } = ports.settings.names ?? {};
  const offered = fleet
    .all('worker')
    .flatMap(({ hello }) => hello.labels.flatMap((label) => agentOfLabel(label) ?? []));
  const of = (kind: 'acp' | 'cli') => [
    ...new Set([
      ...(agents?.[kind] ?? []),
      ...offered.filter((each) => each.kind === kind).map(({ agent }) => agent),
    ]),
  ];
  return {
    ...(agents !== undefined && { agents: { acp: of('acp'), cli: of('cli') } }),
    ...(mcpServers !== undefined && { mcpServers }),
  };
}

type ClientInput = RunInput extends infer I ? (I extends { at: number } ? Omit<I, 'at'> : never) : never;

function tell(context: RequestContext, run: RunId, input: ClientInput): Answer {
  const keeper = keeperOf(context, run);
  context.loop.input(keeper, { ...input, at: context.ports.clock.now() } as RunInput);
  return done;
}

/** An attempt that waits at work for the answer is told it; one that cannot be reached now asks again. */
function tellAttempt({ loop, send }: RequestContext, run: RunId, taskId: TaskId): void {
  const keeper = loop.keepers.get(run);
  const lease = keeper?.held.get(taskId);
  const last = keeper?.state.tasks.get(taskId)?.history.at(-1)?.questions?.at(-1);
  if (lease === undefined || last?.answer === undefined) return;
  const { worker, attempt, fence } = lease;
  const told = { run, taskId, attempt, fence, question: last.id, answer: last.answer.text };
  loop.afterCommit(() => send(worker, 'task-answer', told));
}

/** Asks for a rollback and waits for what becomes of it. */
async function rollBack(
  context: RequestContext,
  { run, taskId, withDependants, reason }: PayloadOf<'run-rollback'>,
): Promise<PayloadInput<'run-rolled-back'>> {
  const keeper = keeperOf(context, run);
  tell(context, run, { kind: 'rollback', taskId, withDependants, reason });
  const end = await keeper.rollback.ended();
  if (end.kind === 'refused')
    throw new AppError('E_ROLLBACK_REFUSED', `nothing is rolled back: ${end.reason}`);
  const { commit } = end;
  const tasks = [...keeper.state.tasks.values()].filter(
    ({ phase }) => phase.kind === 'rolled-back' && phase.commit === commit,
  );
  context.ports.logger.info({ run, commit, tasks: tasks.length }, 'run rolled back');
  return { commit, tasks: tasks.map(({ task }) => task.id) };
}

async function apply(context: RequestContext, run: RunId): Promise<PayloadInput<'run-applied'>> {
  const { state } = keeperOf(context, run);
  const { ports } = context;
  if (state.tip === state.base)
    throw new AppError('E_RUN_STATE', `run ${run} has integrated nothing yet; there is nothing to apply`);
  const result = await ports.repository.apply({
    run,
    commit: state.tip,
    verify: async (commit) => {
      const { plan, include, tip: accepted } = state;
      const { signal } = context;
      const verified = await ports.verifier.verify({ commit, accepted, plan, include, signal });
      return verified.passed ? undefined : failedReceipt(verified.receipts);
    },
  });
  ports.logger.info({ run, commit: result.commit, fastForward: result.fastForward }, 'run applied');
  return { commit: result.commit, fastForward: result.fastForward, files: [...result.files] };
}
