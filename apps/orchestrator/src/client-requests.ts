import {
  AppError,
  isAppError,
  messageOf,
  type Envelope,
  type MessageId,
  type MessageType,
  type PayloadInput,
  type PayloadOf,
  type PeerId,
  type RunId,
} from '@switchyard/protocol';
import { summaryOf, viewOf, type RunInput } from '@switchyard/scheduler';
import { peerViewOf } from './fleet.ts';
import { buildReport } from './run-report.ts';
import type { RunKeeper } from './run-keeper.ts';
import { submitRun, type RequestContext } from './submit.ts';

type Answer = { [T in MessageType]: { readonly type: T; readonly payload: PayloadInput<T> } }[MessageType];
type Handler<T extends MessageType> = (
  payload: PayloadOf<T>,
  request: { readonly from: PeerId; readonly id: MessageId },
  context: RequestContext,
) => Answer | Promise<Answer>;

const done: Answer = { type: 'done', payload: {} };

/** Every request of `client`; what is not here is no request. */
const handlers: { readonly [T in MessageType]?: Handler<T> } = {
  'run-submit': async ({ plan, file }, _request, context) => ({
    type: 'run-submitted',
    payload: { run: await submitRun(context, plan, file) },
  }),
  'run-list': (_payload, _request, { loop }) => ({
    type: 'run-listed',
    payload: { runs: [...loop.keepers.values()].map((keeper) => summaryOf(keeper.state)) },
  }),
  'run-get': ({ run }, _request, context) => ({
    type: 'run-got',
    payload: { view: viewOf(keeperOf(context, run).state) },
  }),
  'run-cancel': ({ run, taskId, reason }, _request, context) =>
    tell(context, run, { kind: 'cancel', taskId, reason }),
  'run-pause': ({ run, reason }, _request, context) => tell(context, run, { kind: 'pause', reason }),
  'run-resume': ({ run }, _request, context) => tell(context, run, { kind: 'resume' }),
  'run-add-tasks': ({ run, tasks }, _request, context) => tell(context, run, { kind: 'add-tasks', tasks }),
  'gate-answer': ({ run, taskId, approve, note }, _request, context) =>
    tell(context, run, { kind: 'gate-answered', taskId, approve, note }),
  'escalation-answer': ({ run, taskId, action, note }, _request, context) =>
    tell(context, run, { kind: 'escalation-answered', taskId, action, note }),
  'report-get': ({ run }, _request, context) => {
    const keeper = keeperOf(context, run);
    const files = context.ports.reports.find(run);
    const report = buildReport(keeper, context.ports.settings.sandbox);
    return { type: 'report-got', payload: files === undefined ? { report } : { report, files } };
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
      peers: fleet.all().map((entry) => peerViewOf(entry, ports.instances.isLocal(entry.peer))),
    },
  }),
  'worker-terminate': ({ peer }, _request, { fleet, ports, send }) => {
    if (fleet.get(peer) === undefined)
      throw new AppError('E_USAGE', `no worker or reviewer is called ${peer}`);
    if (!ports.instances.terminate(peer)) send(peer, 'shutdown', { reason: 'asked by a person' });
    return done;
  },
  'fleet-shutdown': ({ reason }, _request, { loop, ports }) => {
    loop.afterCommit(() => ports.stop(reason));
    return done;
  },
  invite: ({ role }, _request, { ports }) => ({ type: 'invited', payload: ports.door.invite(role) }),
  'logs-get': async ({ filter, tail, follow }, request, context) => {
    const lines = await context.ports.logs.tail(filter, tail);
    if (follow) context.watchers.follow(request, filter);
    return { type: 'logs-got', payload: { lines: [...lines] } };
  },
};

/**
 * Watching begins when the journal has what the view shows, so that the answer comes first and the events after it
 * follow without a gap.
 */
function watch({ id, from, payload }: Envelope<'run-watch'>, context: RequestContext): void {
  const keeper = keeperOf(context, payload.run);
  context.loop.afterCommit(() => {
    const seq = keeper.publishedEvents;
    context.send(from, 'run-watched', { view: viewOf(keeper.state), seq }, { replyTo: id });
    for (const event of keeper.events.slice(payload.after, seq)) context.send(from, 'run-event', event);
    context.watchers.add(from, payload.run);
  });
}

/** Answers one request of a client; false: it is none. Errors are answered, never thrown. */
export function receiveRequest(envelope: Envelope, context: RequestContext): boolean {
  const handler = handlers[envelope.type] as Handler<MessageType> | undefined;
  if (handler === undefined && envelope.type !== 'run-watch') return false;
  const { id, from, payload } = envelope;
  // The answer goes out when the journal has what the request decided.
  const reply = (answer: Answer): void => {
    context.loop.afterCommit(() => context.send(from, answer.type, answer.payload, { replyTo: id }));
  };
  const refuse = (error: unknown): void => {
    const code = isAppError(error) ? error.code : 'E_INTERNAL';
    if (!isAppError(error))
      context.ports.logger.error({ request: envelope.type, err: error }, 'a request failed');
    reply({
      type: 'error',
      payload: { code, message: messageOf(error), ...(isAppError(error) ? { details: error.details } : {}) },
    });
  };
  try {
    if (envelope.type === 'run-watch') watch(envelope, context);
    const answer = handler?.(payload, { from, id }, context);
    if (answer instanceof Promise) answer.then(reply, refuse);
    else if (answer !== undefined) reply(answer);
  } catch (error) {
    refuse(error);
  }
  return true;
}

function keeperOf(context: RequestContext, run: RunId): RunKeeper {
  const keeper = context.loop.keepers.get(run);
  if (keeper === undefined)
    throw new AppError('E_RUN_UNKNOWN', `there is no run ${run}; \`switchyard runs\` lists them`);
  return keeper;
}

type ClientInput = RunInput extends infer I ? (I extends { at: number } ? Omit<I, 'at'> : never) : never;

function tell(context: RequestContext, run: RunId, input: ClientInput): Answer {
  const keeper = keeperOf(context, run);
  context.loop.input(keeper, { ...input, at: context.ports.clock.now() } as RunInput);
  return done;
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
      const { plan, include } = state;
      const verified = await ports.verifier.verify({ commit, plan, include, signal: context.signal });
      return verified.passed;
    },
  });
  ports.logger.info({ run, commit: result.commit, fastForward: result.fastForward }, 'run applied');
  return { commit: result.commit, fastForward: result.fastForward, files: [...result.files] };
}
