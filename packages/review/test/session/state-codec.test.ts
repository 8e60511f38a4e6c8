import { decodeSession, encodeSession, sessionProblemLine, type SessionState } from '@switchyard/review';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Session, finish } from './build-session.ts';

const file = 'docs/review-session/3-session-state.yaml';

function atWork(): Session {
  const session = new Session({ acceptedFailureShare: 0.5 });
  session.prepare('code-quality', 'security');
  session.input({ kind: 'launch' });
  session.complete('task-reviewer_security', 4);
  return session;
}

function lineOf(text: string, part: string): number {
  return text.slice(0, text.indexOf(part)).split('\n').length;
}

function problemsOf(text: string): string[] {
  return decodeSession(text, file).problems.map(sessionProblemLine);
}

describe('the file of a session', () => {
  it('has the names of the specification, all of them', () => {
    const document = parse(encodeSession(atWork().state)) as Record<string, unknown>;
    expect(document).toMatchObject({
      review_session: {
        task_id: '3',
        session_id: expect.any(String) as string,
        orchestrator_id: 'reviewer-orchestrator',
        created_at: '2026-03-01T10:00:00.000Z',
        last_updated: '2026-03-01T10:00:00.000Z',
        overall_status: 'in_progress',
      },
      session_metadata: {
        project_root: '/project',
        specs_loaded: true,
        plan_validated: true,
        strategy_determined: true,
      },
      coordination_state: {
        active_reviewers: 1,
        completed_reviewers: 1,
        failed_reviewers: 0,
        total_reviewers: 2,
        completion_percentage: 80,
        estimated_completion: null,
      },
      error_tracking: {
        total_errors: 0,
        recoverable_errors: 0,
        fatal_errors: 0,
        last_error: null,
        recovery_attempts: 0,
      },
    });
    const [reviewer] = document['reviewers'] as Record<string, unknown>[];
    expect(reviewer).toMatchObject({
      reviewer_id: 'task-reviewer_code-quality',
      status: 'starting',
      assigned_at: '2026-03-01T10:00:00.000Z',
      started_at: '2026-03-01T10:00:00.000Z',
      last_heartbeat: '2026-03-01T10:00:00.000Z',
      progress_percentage: 0,
      current_phase: 'starting',
      error_count: 0,
      retry_count: 0,
    });
    expect((document['todo_list'] as object[])[0]).toEqual({
      content: 'Load the specification',
      status: 'completed',
      activeForm: 'Loading the specification',
      priority: 'high',
    });
  });

  it('gives back the state at every moment of a session', () => {
    const session = atWork();
    const states: SessionState[] = [structuredClone(session.state)];
    session.input({
      kind: 'reviewer-error',
      reviewer: 'task-reviewer_code-quality',
      attempt: 1,
      trouble: { errorClass: 'logic_error', message: 'odd: "text"\n# and more', instructions: '- look' },
    });
    states.push(structuredClone(session.state));
    for (const outcome of finish) {
      session.step(outcome);
      states.push(structuredClone(session.state));
    }
    for (const state of states)
      expect(decodeSession(encodeSession(state), file)).toEqual({ state, problems: [], warnings: [] });
    expect(states.at(-1)?.review_session.overall_status).toBe('completed');
  });

  it('is read in the bare form of the specification, without our further names', () => {
    const bare = `review_session:
  task_id: 3
  session_id: 0b3b0c2e-7b0c-4f6e-9d4e-0d6c1f3a2b10
  orchestrator_id: "reviewer-orchestrator"
  created_at: 2026-03-01T10:00:00Z
  last_updated: 2026-03-01T10:00:00Z
  overall_status: "initializing"
session_metadata:
  project_root: /project
  specs_loaded: false
  plan_validated: false
  strategy_determined: false
reviewers:
  - reviewer_id: "task-reviewer_testing"
    status: "registered"
    assigned_at: 2026-03-01T10:00:00Z
    started_at: # ISO timestamp
    last_heartbeat:
    progress_percentage: 0
    current_phase: "not_started"
    error_count: 0
    retry_count: 0
coordination_state:
  active_reviewers: 0
  completed_reviewers: 0
  failed_reviewers: 0
  total_reviewers: 1
  completion_percentage: 0
  estimated_completion:
error_tracking:
  total_errors: 0
  recoverable_errors: 0
  fatal_errors: 0
  last_error:
  recovery_attempts: 0
`;
    const { state, problems, warnings } = decodeSession(bare, file);
    expect([problems, warnings]).toEqual([[], []]);
    expect(state?.review_session.task_id).toBe('3');
    expect(state?.session_metadata.accepted_failure_share).toBe(0.25);
  });
});

describe('a file that cannot be read', () => {
  const text = encodeSession(atWork().state);

  it('is told wherever it was cut off', () => {
    for (let length = 0; length < text.trimEnd().length - 4; length += 97) {
      const { state, problems } = decodeSession(text.slice(0, length), file);
      const isWholeByLuck = state !== undefined && problems.length === 0;
      // Only the end of the todo list may be gone unseen: it follows from the rest.
      if (isWholeByLuck) expect(length).toBeGreaterThan(text.indexOf('todo_list'));
      else expect(problems[0]?.fix).toContain('cut off');
    }
  });

  it('names line, column and fix of what a hand got wrong', () => {
    const edited = text.replace('overall_status: in_progress', 'overall_status: almost');
    const line = lineOf(edited, 'overall_status: almost');
    expect(problemsOf(edited)).toEqual([
      expect.stringMatching(
        new RegExp(`^${file}:${line}:3: review_session.overall_status: .*"completed".*; correct it`),
      ),
    ]);
    expect(problemsOf(text.replace(/ +created_at: .*\n/, ''))[0]).toContain(
      'review_session.created_at is missing',
    );
    const twice = text.replaceAll('task-reviewer_code-quality', 'task-reviewer_security');
    expect(problemsOf(twice)[0]).toMatch(/:\d+:\d+: task-reviewer_security is there twice/);
    expect(problemsOf(text.replace('completion_percentage: 80', 'completion_percentage: 100'))[0]).toContain(
      'overall_status is in_progress at 100 %',
    );
    expect(problemsOf(text.replace('task-reviewer_security', 'task-reviewer_cooking'))[0]).toContain(
      'task-reviewer_performance',
    );
    expect(problemsOf(text.replace(/ +- load_specs\n/, ''))[0]).toMatch(/:\d+:\d+: .*not in their order/);
    expect(problemsOf(text.replace('review_session:', 'review_session: [')).length).toBeGreaterThan(0);
    expect(problemsOf('just words')[0]).toContain(file);
    expect(problemsOf('a: &a 1\nb: *a\n')[0]).toContain('aliases');
  });

  it('names what stands after its end, and takes nothing from it', () => {
    expect(problemsOf(`${text}note: mine\n`)).toEqual([
      expect.stringMatching(
        new RegExp(
          `^${file}:${text.split('\n').length}:1: there is something after the line .*; put it above`,
        ),
      ),
    ]);
    expect(problemsOf(text.replaceAll('\n', '\r\n'))).toEqual([]);
  });

  it('is read though a hand has changed its todo list, which follows from the rest', () => {
    const edited = text.replace(/(todo_list:[^]*?status:) \w+/, '$1 done');
    const { state, problems, warnings } = decodeSession(edited, file);
    expect([state, problems]).toEqual([decodeSession(text, file).state, []]);
    expect(warnings).toMatchObject([
      { line: lineOf(edited, 'todo_list'), message: expect.stringContaining('todo list') as string },
    ]);
  });

  it('says so of another version', () => {
    const newer = text.replace('schema_version: 1', 'schema_version: 2');
    expect(decodeSession(newer, file)).toMatchObject({ isOfOtherVersion: true });
    expect(problemsOf(newer)).toEqual([
      expect.stringContaining(`${file}:${lineOf(newer, 'schema_version')}:3: the file has version 2`),
    ]);
  });

  it('warns of unknown fields and of counts that are not those of the reviewers', () => {
    const edited = text
      .replace('task_id:', 'colour: green\n  task_id:')
      .replace('active_reviewers: 1', 'active_reviewers: 7');
    const { state, warnings } = decodeSession(edited, file);
    expect(warnings.map(sessionProblemLine)).toEqual([
      expect.stringMatching(/:3:3: unknown field "colour"; it is ignored/),
      expect.stringContaining('counted anew'),
    ]);
    expect(state?.coordination_state.active_reviewers).toBe(1);
  });

  it('is a problem with its place or still a state, whatever a hand does to it', () => {
    const pieces = [
      '\n',
      ': ',
      '- ',
      '{',
      '[',
      '&a ',
      '*a',
      '"',
      '#',
      '|',
      '\t',
      '<<: ',
      '? ',
      '\u0000',
      '---',
      '__proto__: 1\n',
    ];
    const edit = fc.record({
      at: fc.integer({ min: 0, max: text.length }),
      cut: fc.integer({ min: 0, max: 60 }),
      piece: fc.constantFrom(...pieces),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        const edited = edits.reduce(
          (now, { at, cut, piece }) => now.slice(0, at) + piece + now.slice(at + cut),
          text,
        );
        const { state, problems } = decodeSession(edited, file);
        expect(state === undefined).toBe(problems.length > 0);
      }),
      { numRuns: 60 },
    );
  });
});
