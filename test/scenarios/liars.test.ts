import {
  commitId,
  encodeEnvelope,
  encodePayload,
  fence,
  messageId,
  peerId,
  reviewId,
  taskId,
  type Envelope,
  type Hello,
  type IgnoredMessage,
  type PayloadInput,
  type PeerId,
  type ReviewAssignment,
  type RunView,
} from '@switchyard/protocol';
import { silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import { createLink, webSocketDial, type Channel, type Link } from '@switchyard/transport';
import { afterEach, expect, it } from 'vitest';
import { readRunFacts } from '../chaos/journal-facts.ts';
import { Scenario, until } from './harness.ts';

const plan = `version: 1
name: watched
tasks:
  - id: a
    instructions: Write a
    workspace: out
    executor: { kind: command, run: ["mkdir -p out && echo 'export const a = 1;' > out/a.ts"] }
    review: { mode: required, specializations: [style] }
`;
const scenarios: Scenario[] = [];
const links: Link[] = [];
afterEach(async () => {
  await Promise.all(links.splice(0).map((link) => link.close()));
  await Promise.all(scenarios.splice(0).map((made) => made.close()));
});

const nobodys = commitId.parse('e'.repeat(40));

/** A peer with a token of the hub that says what is not so. */
class Liar {
  readonly link: Link;
  readonly received: Envelope[] = [];
  /** Why the hub dropped it. */
  readonly dropped: string[] = [];
  private readonly self: PeerId;
  private control: Channel | undefined;

  constructor(made: Scenario, name: string, url: string, more: Pick<Hello, 'role' | 'slots'>) {
    const about = { version: '0.1.0', host: 'far', pid: 1, labels: [], holding: [], reviewing: [] };
    this.self = peerId.parse(name);
    const dial = webSocketDial({ url, token: () => made.token() });
    this.link = createLink({
      self: this.self,
      hello: () => ({ ...about, ...more, specializations: more.role === 'reviewer' ? ['style'] : [] }),
      dial: async (lane) => {
        const channel = await dial(lane);
        if (lane === 'control') this.control = channel;
        return channel;
      },
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger(),
      handler: {
        message: (envelope) => void this.received.push(envelope),
        lost: (reason) => void this.dropped.push(reason),
        fatal: (error) => void this.dropped.push(error.message),
      },
    });
    links.push(this.link);
    this.link.start();
  }

  /** Our own links send nothing that breaks the table. */
  sendRaw(type: string, payload: object): void {
    const head = { id: messageId.parse('raw-1'), from: this.self, to: peerId.parse('orchestrator'), at: 1 };
    this.control?.send(encodeEnvelope({ ...head, type, payload: encodePayload(payload) }));
  }

  /** What it is given to review. */
  review(): Promise<ReviewAssignment> {
    return until(
      'the review',
      () =>
        this.received.find(({ type }) => type === 'review-assignment')?.payload as
          ReviewAssignment | undefined,
    );
  }

  /** What it was told of messages that changed nothing. */
  told(): IgnoredMessage[] {
    return this.received.flatMap(({ type, payload }) =>
      type === 'ack' ? (((payload as PayloadInput<'ack'>).ignored ?? []) as IgnoredMessage[]) : [],
    );
  }
}

it('workers and reviewers that lie to the real orchestrator change nothing, and are told why', async () => {
  const made = new Scenario({ 'readme.txt': 'a repository\n', 'plan.yaml': plan });
  scenarios.push(made);
  made.daemon('orchestrator', '--port', '0', '--workers-max', '0', '--reviewers-max', '0');
  const { url } = await made.orchestrator();
  const liar = new Liar(made, 'liar-1', url, { role: 'reviewer', slots: 1 });
  await liar.link.whenConnected();
  made.daemon('worker');
  const submitted = await made.cli('run', 'plan.yaml', '--detach').ended;
  expect(submitted.code, submitted.stderr).toBe(0);
  const assignment = await liar.review();
  const { run } = assignment;
  const factsBefore = readRunFacts(made.state, run).length;

  const worker = new Liar(made, 'liar-2', url, { role: 'worker', slots: 0 });
  const its = { run, taskId: assignment.taskId, attempt: assignment.attempt, fence: assignment.fence };
  const failure = { class: 'io', code: 'E_IO', message: 'a lie' } as const;
  const words = [
    [{ ...its, taskId: taskId.parse('never') }, 'unknown-task'],
    [{ ...its, fence: fence.parse(99) }, 'unknown-attempt'],
    [its, 'not-its-own'],
    [its, 'not-its-own'],
  ] as const;
  for (const [attempt] of words) worker.link.send('task-failed', { ...attempt, error: 'a lie', failure });
  await until('the answers', () => worker.told().length === words.length || undefined);
  expect(worker.told().map(({ reason }) => reason)).toEqual(words.map(([, reason]) => reason));
  // A payload of another type is no message: the hub says so and hangs up.
  worker.sendRaw('task-accepted', { progress: 1 });
  const [why] = await until('the end of its connection', () =>
    worker.dropped.length > 0 ? worker.dropped : undefined,
  );
  expect(why).toMatch(/\(4422\): .*the payload of task-accepted does not fit its schema/);

  const verdict = approvalOf(assignment, 'liar-1');
  liar.link.send('review-approved', { ...verdict, reviewId: reviewId.parse('never-asked') });
  await until('its first answer', () => liar.told().length === 1 || undefined);
  expect(liar.told()[0]).toMatchObject({ type: 'review-approved', reason: 'not-held', taskId: 'a' });
  expect(readRunFacts(made.state, run)).toHaveLength(factsBefore);
  // It wants no other review after this one.
  liar.link.send('draining', { reason: 'enough lied' });
  liar.link.send('review-approved', { ...verdict, commit: nobodys });
  await until('its second answer', () => liar.told().length === 2 || undefined);
  expect(liar.told()[1]).toMatchObject({ reason: 'refused', text: expect.stringContaining(nobodys) });
  await liar.link.close();
  await rejectForNothing(made, url);

  made.daemon('reviewer');
  const ended = await until('the end of the run', async () => {
    const view = await made.api<RunView>(`/api/runs/${run}`);
    return view.phase === 'running' ? undefined : view;
  });
  expect([ended.phase, ended.tasks[0]?.attempt]).toEqual(['completed', 1]);
});

/** A reviewer that finds something where nothing is. */
async function rejectForNothing(made: Scenario, url: string): Promise<void> {
  const liar = new Liar(made, 'liar-3', url, { role: 'reviewer', slots: 1 });
  const assignment = await liar.review();
  liar.link.send('draining', { reason: 'one lie is enough' });
  const place = { file: 'out/a.ts', line: 99, description: 'it is wrong', references: [] };
  liar.link.send('review-rejected', {
    ...approvalOf(assignment, 'liar-3'),
    approved: false,
    issues: [{ severity: 'major', category: 'style', ...place }],
    requiredChanges: ['mend it'],
  });
  await until('its answer', () => liar.told().length === 1 || undefined);
  const text = expect.stringContaining('it speaks of line 99 of out/a.ts, which has 2 lines');
  expect(liar.told()[0]).toMatchObject({ type: 'review-rejected', reason: 'refused', text });
  await liar.link.close();
}

function approvalOf(assignment: ReviewAssignment, reviewer: string): PayloadInput<'review-approved'> {
  const { run, taskId, attempt, fence: number, reviewId: review, commit } = assignment;
  return {
    ...{ run, taskId, attempt, fence: number, reviewId: review, commit },
    reviewerId: peerId.parse(reviewer),
    specialization: 'style',
    feedback: 'fine',
    issues: [],
    suggestions: [],
    strengths: [],
    filesAnalyzed: 1,
    startedAt: 1,
    finishedAt: 2,
    approved: true,
  };
}
