import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { AppError } from '@switchyard/protocol';
import type { ReviewerResult } from '@switchyard/review';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReviewOrder } from '../src/review-session/session-driver.ts';
import { findSessionProject } from '../src/review-session/session-project.ts';
import {
  runSession,
  type SessionEnd,
  type SessionSurroundings,
  type TakeUp,
} from '../src/review-session/session-run.ts';
import { ProjectOfTest } from './session-project.ts';

let project: ProjectOfTest;
let said: string[];
beforeEach(() => {
  project = new ProjectOfTest();
  // Without git between, which other tests have, so that many sessions take little time.
  rmSync(project.place('.git'), { recursive: true });
  said = [];
});
afterEach(() => project.close());

const start: TakeUp = { kind: 'start', restart: false, request: { acceptedFailureShare: 0.25 } };

function run(
  takeUp: TakeUp,
  review: (order: ReviewOrder) => Promise<ReviewerResult>,
  { signal, told }: { signal?: AbortSignal; told?: SessionSurroundings['told'] } = {},
): Promise<SessionEnd> {
  return runSession(takeUp, {
    project: findSessionProject(project.root, '1'),
    engines: { sandbox: 'off', searchPath: undefined },
    signal: signal ?? new AbortController().signal,
    say: (text) => void said.push(text),
    told: told ?? (() => undefined),
    review,
  });
}

async function approve({ reviewer, progress, announce }: ReviewOrder): Promise<ReviewerResult> {
  progress(10, 'reading');
  await announce({ findings: 0 });
  return { reviewer, findings: [], filesAnalyzed: 2, strengths: [] };
}

/** Begins a session that is interrupted when the first reviewer is done. */
async function interrupted(): Promise<string> {
  const controller = new AbortController();
  const begun = run(
    start,
    async (order) => {
      if (order.dimension === 'testing') return approve(order);
      order.progress(10, 'reading');
      return new Promise((_resolve, reject) => {
        order.signal.addEventListener('abort', () => reject(order.signal.reason as Error));
        if (order.dimension === 'integration')
          setImmediate(() => controller.abort(new AppError('E_CANCELLED', 'stop')));
      });
    },
    { signal: controller.signal },
  );
  await expect(begun).rejects.toThrow('stop');
  return project.stateOf('1').review_session.session_id;
}

describe('taking up a session', () => {
  it('goes on with one that was cut off, and asks only who had no result', async () => {
    const id = await interrupted();
    const asked: string[] = [];
    const { state } = await run(start, (order) => {
      asked.push(order.dimension);
      return approve(order);
    });
    expect(asked).toEqual(['code-quality', 'security', 'performance', 'integration']);
    expect(state.review_session).toMatchObject({ session_id: id, overall_status: 'completed' });
    expect(said[0]).toMatch(/an unfinished session of task 1 is there, at \d+ %: it goes on/);
  });

  it.each([
    ['the files under review have changed', 'src/token-store.ts'],
    ['specification or plan have changed', 'docs/specs/architecture.md'],
  ])('begins anew where %s (%s), and keeps what there was', async (why, path) => {
    const id = await interrupted();
    project.put(path, `${project.read(path)}\n// One more line.\n`);
    await expect(run({ kind: 'continue' }, approve)).rejects.toThrow(`${why} since the session began`);
    const { state } = await run(start, approve);
    expect(said[0]).toContain(`but ${why}: it begins anew`);
    expect(state.review_session.session_id).not.toBe(id);
    expect(state.session_metadata.recovery).toMatchObject([{ strategy: 'restart', reason: why }]);
    const kept = `docs/review-session/archive/1-${id}-unfinished/1-session-state.yaml`;
    expect(project.stateOf('1', kept).review_session.overall_status).toBe('in_progress');
  });

  it('begins anew where it is asked for otherwise, and goes on where nothing else is asked', async () => {
    const id = await interrupted();
    const request = { acceptedFailureShare: 0.25, reviewers: ['security'] as const };
    const { state } = await run({ kind: 'start', restart: false, request }, approve);
    expect(state.review_session.session_id).not.toBe(id);
    expect(state.reviewers.map(({ reviewer_id }) => reviewer_id)).toEqual(['task-reviewer_security']);
    expect(said[0]).toContain('but it was asked for otherwise: it begins anew');
  });

  it('begins anew when told to, also where state and backup are both damaged', async () => {
    await interrupted();
    const state = 'docs/review-session/1-session-state.yaml';
    const backup = 'docs/review-session/1-session-state.backup.yaml';
    project.put(state, project.read(state).replace('overall_status: in_progress', 'overall_status: odd'));
    project.put(backup, 'nothing');
    await expect(run(start, approve)).rejects.toMatchObject({
      code: 'E_SESSION_DAMAGED',
      message: expect.stringMatching(
        /1-session-state\.yaml:8:3: .*overall_status[^]*backup\.yaml[^]*--restart/,
      ) as string,
    });
    const end = await run({ ...start, restart: true }, approve);
    expect(end.state.review_session.overall_status).toBe('completed');
  });

  it('leaves a state of another version alone, though its backup could be read', async () => {
    await interrupted();
    const path = 'docs/review-session/1-session-state.yaml';
    project.put(path, project.read(path).replace('schema_version: 1', 'schema_version: 2'));
    const newer = project.read(path);
    await expect(run(start, approve)).rejects.toMatchObject({
      code: 'E_SESSION_DAMAGED',
      message: expect.stringContaining('the file has version 2; this program reads version 1') as string,
    });
    expect(project.read(path)).toBe(newer);
  });

  it('halts where a result is no longer what was handed in, and leaves everything as it is', async () => {
    await interrupted();
    const result = 'docs/review-session/1-results/task-reviewer_testing.json';
    project.put(result, project.read(result).replace('"filesAnalyzed": 2', '"filesAnalyzed": 3'));
    const { state } = await run(start, approve);
    expect(state.review_session.ended_because).toContain('halted, so that nothing more is damaged');
    expect(state.error_tracking.last_error).toMatchObject({ error_class: 'data_corruption' });
    expect(project.read(result)).toContain('"filesAnalyzed": 3');
    expect(project.read('docs/specs/task.md')).toContain('- [ ] 1.');
  });

  it('follows no link to a template, but takes the one that is named', async () => {
    project.put('toolkit/review-tmpl.yaml', 'title: From the toolkit\nsections: [summary]\n');
    mkdirSync(project.place('sunnycore/qa'), { recursive: true });
    symlinkSync(project.place('toolkit'), project.place('sunnycore/qa/templates'));
    const { kind, state } = await run(start, approve);
    expect([kind, state.error_tracking.last_error]).toMatchObject([
      'person',
      {
        error_class: 'configuration_error',
        message: expect.stringMatching(/sunnycore\/qa\/templates is a link[^]*--template/) as string,
      },
    ]);
    const template = project.place('toolkit/review-tmpl.yaml');
    const end = await run({ kind: 'continue', template }, approve);
    expect(end.state.review_session.overall_status).toBe('completed');
    expect(project.read('docs/review-results/1-review.md')).toContain('# From the toolkit');
  });

  it('reports partial results, and does not tick what somebody has not looked at', async () => {
    const { state } = await run(start, (order) => {
      if (order.dimension === 'security') throw new Error('a bug in it');
      return approve(order);
    });
    expect(state.review_session).toMatchObject({ overall_status: 'completed', conclusion: 'incomplete' });
    expect(state.metrics).toMatchObject({ reviewer_failure_rate: 0.2, quality_score: 80 });
    expect(state.session_metadata.task_status).toContain(
      'Task 1 is not ticked in docs/specs/task.md: task-reviewer_security came to no result',
    );
    const report = project.read('docs/review-results/1-review.md');
    expect(report).toContain('**incomplete**');
    expect(report).toContain('no result of task-reviewer\\_security: a bug in it');
    expect(project.read('docs/specs/task.md')).toContain('- [ ] 1.');
  });

  it.each([
    ['report', () => rmSync(project.place('docs/review-results/1-review.md'))],
    ['archive', () => rmSync(project.place('docs/review-session/archive'), { recursive: true })],
    [
      'task_status',
      () => project.put('docs/specs/task.md', project.read('docs/specs/task.md').replaceAll('[x]', '[ ]')),
    ],
  ])('does not complete where somebody has taken away its %s', async (name, takeAway) => {
    const { state } = await run(start, approve, {
      told: (fact) => {
        if (fact.kind === 'step-completed' && fact.outcome.step === 'update_task') takeAway();
      },
    });
    expect(state.review_session).toMatchObject({
      overall_status: 'failed',
      ended_because: `not completed: ${name}, clean_up missing`,
    });
    expect(state.coordination_state.completion_percentage).toBe(95);
  });

  it('keeps a report of 3,000 findings that can be read back whole', async () => {
    const { state } = await run(start, async (order) => {
      await order.announce({ findings: 3_000 });
      const findings = Array.from({ length: order.dimension === 'testing' ? 3_000 : 0 }, (_none, index) => ({
        severity: 'minor' as const,
        category: 'testing',
        file: `src/odd \`name\` | ${index}.ts`,
        line: index + 1,
        description: `*bold* <b>${index}</b> | \`code\` — dash\nsecond line`,
        references: [],
        fingerprint: `${index}`.padStart(12, '0'),
      }));
      return { reviewer: order.reviewer, findings, filesAnalyzed: 1, strengths: [] };
    });
    expect(state.session_metadata.checkpoints.output_readable).toBe(true);
    expect(project.read('docs/review-results/1-review.md').match(/^- \*\*P3\*\*/gm)).toHaveLength(3_000);
    await run(start, approve);
    expect(project.read('docs/review-results/1-review.md')).toContain('Of 3000: 3000 resolved');
  });
});
