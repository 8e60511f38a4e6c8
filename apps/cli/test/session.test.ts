import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { sessionReport } from '@switchyard/protocol';
import { readEarlierFindings } from '@switchyard/review';
import { sessionCommand } from './session-command.ts';
import { ProjectOfTest, two } from './session-project.ts';

let project: ProjectOfTest;
beforeEach(() => {
  project = new ProjectOfTest();
});
afterEach(() => project.close());

const session = (...args: string[]) => sessionCommand(project, args);

interface SarifShown {
  readonly runs: readonly {
    readonly results: readonly { readonly partialFingerprints: Readonly<Record<string, string>> }[];
  }[];
}

describe('session start', () => {
  it('reviews a task from end to end, ticks it, and leaves report, state and archive', async () => {
    const windows = project.read('docs/specs/task.md').replaceAll('\n', '\r\n');
    project.put('docs/specs/task.md', windows);
    chmodSync(project.place('docs/specs/task.md'), 0o640);
    const { status, stdout, stderr } = await session('start', '1');
    expect(stderr).toContain('reviewer integration: a back end project asks for it');
    expect([status, stdout]).toEqual([0, expect.stringContaining('✓ passed: task 1, quality score 100')]);
    expect(project.read('docs/specs/task.md')).toBe(
      windows.replace('[ ] 1.', '[x] 1.').replace('[ ] 1.1', '[x] 1.1').replace('[ ] 1.2', '[x] 1.2'),
    );
    const report = project.read('docs/review-results/1-review.md');
    expect(report).toContain('# Review of task 1: Token store of the server');
    expect(report).toContain('Ticked in docs/specs/task.md: 1, 1.1, 1.2.');
    const state = project.stateOf('1');
    expect(state).toMatchObject({
      review_session: { overall_status: 'completed', conclusion: 'passed' },
      coordination_state: { completion_percentage: 100, completed_reviewers: 5, total_reviewers: 5 },
      metrics: { reviewer_success_rate: 1, quality_score: 100 },
    });
    expect(report).toContain(state.review_session.session_id);
    expect(state.reviewers.map(({ reviewer_id }) => reviewer_id)).toEqual([
      'task-reviewer_code-quality',
      'task-reviewer_testing',
      'task-reviewer_security',
      'task-reviewer_performance',
      'task-reviewer_integration',
    ]);
    const archive = `docs/review-session/archive/1-${state.review_session.session_id}`;
    expect(project.stateOf('1', `${archive}/session-state.yaml`)).toEqual(state);
    expect(project.read(`${archive}/review.md`)).toBe(report);
    expect(readdirSync(project.place('docs/review-session')).sort()).toEqual([
      '1-session-state.backup.yaml',
      '1-session-state.yaml',
      '1-task.backup.md',
      'archive',
    ]);
    const todos = (
      parse(project.read('docs/review-session/1-session-state.yaml')) as { todo_list: { status: string }[] }
    ).todo_list;
    expect(new Set(todos.map((todo) => todo.status))).toEqual(new Set(['completed']));
    expect((await session('status', '1')).stdout).toContain('completed at 100 %');
    expect((await session('list')).stdout).toMatch(/\ntask 1 {3}completed {2}5\/5 .* passed: Token store/);
    // Where `switchyard logs` looks.
    const logs = join(project.home, 'state/repositories');
    const [log = ''] = readdirSync(logs, { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('logs/session-1.1.ndjson') || name.endsWith('logs/session-1.ndjson'),
    );
    const lines = readFileSync(join(logs, log), 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object).at(-1)).toMatchObject({
      ...{ daemon: 'session-1', run: 'session-1', task: '1', msg: 'session completed' },
      ...{ session: state.review_session.session_id, percent: 100, conclusion: 'passed' },
    });
  });

  it('does not tick what does not pass, says why, and tells the next time what became of each finding', async () => {
    project.put('docs/specs/task.md', project.read('docs/specs/task.md').replace('[x] 3.', '[ ] 3.'));
    const forms = ['--html', 'out/page.html', '--sarif', 'out/log.sarif'];
    const first = await session('start', '3', ...two, ...forms);
    expect(project.read('out/page.html')).toContain('<span class="hit"><i>2</i>');
    const told = await session('report', '3', '--json');
    const { findings, root } = sessionReport.parse(JSON.parse(told.stdout));
    expect(root).toBe(project.root);
    expect(findings).toContainEqual(
      expect.objectContaining({ file: 'src/formula.ts', line: 2, category: 'security' }),
    );
    const [run] = (JSON.parse(project.read('out/log.sarif')) as SarifShown).runs;
    expect(run?.results.map((one) => one.partialFingerprints['switchyard/v1'])).toEqual(
      findings.map(({ fingerprint }) => fingerprint),
    );
    expect((await session('report', '3')).stdout).toBe(project.read('docs/review-results/3-review.md'));
    rmSync(project.place('out'), { recursive: true });
    expect([first.status === 21 || first.status === 22, first.stdout]).toEqual([
      true,
      expect.stringContaining('✗ changes required'),
    ]);
    expect(project.read('docs/specs/task.md')).toContain('- [ ] 3. Formulas');
    const report = project.read('docs/review-results/3-review.md');
    expect(report).toMatch(
      /Task 3 is not ticked in docs\/specs\/task\.md: 1 (major|critical) finding is open/,
    );
    expect(report).toMatch(/^- \*\*P1\*\* · (major|critical) · security · in `src\/formula\.ts:2`/m);

    project.put('src/formula.ts', `// Moved down by a line.\n${project.read('src/formula.ts')}`);
    await session('start', '3', ...two);
    expect(project.read('docs/review-results/3-review.md')).toMatch(
      /Of \d+: 0 resolved, \d+ still open, 0 changed/,
    );

    project.put(
      'src/formula.ts',
      '/** Reads a number. */\nexport const workOut = (formula: string): number => Number(formula);\n',
    );
    const last = await session('start', '3', ...two);
    expect(last.status, last.stderr).toBe(0);
    const third = project.read('docs/review-results/3-review.md');
    expect(third).toMatch(/Of \d+: \d+ resolved, 0 still open, 0 changed/);
    expect(third).toMatch(/\*\*resolved\*\* \(looked for, and not found again\)/);
    expect(project.read('docs/specs/task.md')).toContain('- [x] 3. Formulas');
  });

  it('fails with the list where the plan does not cover the task', async () => {
    const { status, stderr } = await session('start', '2', ...two);
    expect(status).toBe(3);
    expect(stderr).toContain('requirement REQ-31 is not covered by docs/implementation-plan/2-plan.md');
    expect(stderr).toContain('docs/specs/task.md:12: acceptance criterion 1 of task 2 is not covered');
    expect(stderr).toContain('the plan speaks of Redis, which the specification rules out');
    expect(stderr).toContain('then `switchyard session start 2` begins anew');
    const state = project.stateOf('2');
    expect(state.review_session.overall_status).toBe('failed');
    expect(state.error_tracking.fatal_errors).toBe(1);
    expect(state.reviewers).toEqual([]);
  });

  it('ends at once for a person where the plan takes a way that the specification rules out', async () => {
    const plan = 'docs/implementation-plan/1-plan.md';
    project.put(plan, `${project.read(plan)}\nTokens are kept in Redis.\n`);
    const { status, stderr } = await session('start', '1', ...two);
    expect(status).toBe(3);
    expect(stderr).toMatch(
      /E_SESSION_CONFLICT[^]*a person has to decide[^]*the plan speaks of Redis, which the specification rules out/,
    );
    const { review_session: about, error_tracking: tracking } = project.stateOf('1');
    expect(about.overall_status).toBe('failed');
    expect(tracking.escalations).toMatchObject([
      { error_class: 'architecture_conflict', source: 'validate_plan' },
    ]);
    expect(tracking.recovery_attempts).toBe(0);
  });

  it('waits for a person where a document is missing or broken, and goes on when it is mended', async () => {
    renameSync(project.place('docs/implementation-plan/1-plan.md'), project.place('plan.md'));
    const missing = await session('start', '1', ...two);
    expect([missing.status, missing.stderr]).toEqual([
      3,
      expect.stringMatching(/1-plan\.md: the implementation plan is missing[^]*session continue 1/),
    ]);
    renameSync(project.place('plan.md'), project.place('docs/implementation-plan/1-plan.md'));
    project.put('sunnycore/qa/templates/review-tmpl.yaml', 'sections: [');
    const broken = await session('continue', '1');
    expect([broken.status, broken.stderr]).toEqual([
      2,
      expect.stringMatching(/review-tmpl\.yaml:1:\d+: no valid YAML[^]*session continue 1/),
    ]);
    project.put(
      'sunnycore/qa/templates/review-tmpl.yaml',
      'title: Our report on {{task_id}}\nsections:\n  - title: The word\n    fields: [conclusion, mood]\n',
    );
    // Before anybody has reviewed for a report that cannot be made.
    expect(project.stateOf('1').reviewers).toEqual([]);
    expect((await session('status', '1')).stdout).toContain(
      'stopped: nobody works on it; `switchyard session continue 1` goes on',
    );
    const mended = await session('continue', '1');
    expect(mended.status, mended.stderr).toBe(0);
    expect(mended.stderr.match(/review-tmpl\.yaml:4:26: unknown field "mood"/g)).toHaveLength(1);
    const report = project.read('docs/review-results/1-review.md');
    expect(report).toContain('# Our report on 1\n\n## The word\n\n**passed**');
    // What no report lacks, though this template does not ask for it.
    expect(report).toContain('task-reviewer\\_security | completed');
  });

  it('says what is wrong with what it is asked for', async () => {
    expect((await session('start', '9')).stderr).toContain('there is no task 9; there are 1, 2, 3');
    project.put('docs/specs/task.md', `${project.read('docs/specs/task.md')}- [ ] 1. Again\n`);
    expect((await session('start', '1')).stderr).toContain('task 1 is there twice, in lines 3 and 15');
    expect(await session('start', '../1')).toMatchObject({ status: 2 });
    expect(await session('start', '1', '--reviewers', 'cooking')).toMatchObject({ status: 2 });
    expect((await session('status', '7')).stderr).toContain('E_SESSION_UNKNOWN');
    expect((await session('report', '7')).stderr).toContain('E_SESSION_UNKNOWN');
    expect((await session('continue', '7')).stderr).toContain('E_SESSION_UNKNOWN');
    const broken = 'review_session: {}\n...\n';
    project.put('docs/review-session/4-session-state.yaml', broken);
    project.put('docs/review-session/4-session-state.backup.yaml', broken);
    const listed = (await session('list')).stdout.split('\n').find((line) => line.startsWith('task 4'));
    expect(listed).toMatch(/unreadable .*is missing.* \(all of it: switchyard session status 4\)$/);
    expect(listed).not.toContain('backup');
    rmSync(project.place('docs/specs'), { recursive: true });
    expect(await session('start', '1')).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('there is no docs/specs') as string,
    });
  });

  it('goes by the policy that is committed, whatever the change under review makes of it', async () => {
    project.put(
      '.switchyard/review.yml',
      'suppressions:\n  - { rule: "ast-grep/*", path: "src/**", reason: it is known, until: 2099-12-31 }\n',
    );
    const one = ['--reviewers', 'security'];
    const edited = await session('start', '3', ...one);
    expect([edited.status, edited.stderr]).toEqual([22, edited.stderr]);
    const report = (): string => project.read('docs/review-results/3-review.md');
    expect(report()).toMatch(/security · in `src\/formula\.ts:2`/);
    expect(report()).toContain('rule `policy/loosened`');
    project.commit('.switchyard/review.yml');
    const { status, stdout } = await session('start', '3', ...one);
    expect([status, stdout]).toEqual([0, expect.stringContaining('✓ passed')]);
    expect(report()).toMatch(
      /- `critical in src\/formula\.ts, line 2`, rule `ast-grep\/no-eval`[^\n]* Until 2099-12-31: it is known/,
    );
    // What is let stand is not what a later session looks for.
    expect(readEarlierFindings(report())).toEqual([]);
  });

  it('writes through no link that leads out of the project, ends, and gives an alert', async () => {
    mkdirSync(join(project.home, 'elsewhere'));
    symlinkSync(join(project.home, 'elsewhere'), project.place('docs/review-results'));
    const { status, stderr } = await session('start', '1', ...two);
    expect([status, stderr]).toEqual([1, expect.stringContaining('SECURITY ALERT')]);
    expect(readdirSync(join(project.home, 'elsewhere'))).toEqual([]);
    expect(project.stateOf('1').review_session.ended_because).toContain('security violation');
  });
});
