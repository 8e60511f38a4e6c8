import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Scenario, until } from './harness.ts';

const plan = `version: 1
name: changes
defaults: { review: { mode: never } }
pipelines:
  - id: change
    items: [users]
    steps:
      - id: define
        followUps: add
        workspace: docs/{{item}}
        executor:
          run:
            - mkdir -p docs/{{item}} && echo "$SWITCHYARD_TASK" >> docs/{{item}}/change.md
            - cp handover.json "$SWITCHYARD_HANDOVER"
      - id: implement
        workspace: db/{{item}}
        executor:
          run: mkdir -p db/{{item}} && cp "$SWITCHYARD_UPSTREAM" db/{{item}}/up.json
      - { id: deploy, kind: manual, instructions: 'Run db/{{item}}/up.json on staging', gate: { inputs: [version] } }
      - { id: verify, kind: verify, acceptance: { run: 'test -s db/{{item}}/up.json' } }
`;
/** The follow-up inherits the command, so that it hands in the same again, which by then is no new task. */
const handover = {
  features: ['a table of users'],
  findings: [{ severity: 'minor', category: 'documentation', description: 'no word on deletion' }],
  followUps: [{ id: 'say more', workspace: 'docs/users' }],
};

interface Shown {
  readonly run: string;
  readonly phase: string;
  readonly tasks: readonly { readonly id: string; readonly phase: string }[];
}

let made: Scenario | undefined;
afterEach(() => made?.close());

describe('a pipeline, by real processes', () => {
  it('goes through its steps, takes follow-ups in, and keeps a document of a person up to date', async () => {
    const scenario = new Scenario({ 'plan.yaml': plan, 'handover.json': JSON.stringify(handover) });
    made = scenario;
    scenario.daemon('orchestrator', '--port', '0', '--workers-max', '2');
    await scenario.orchestrator();
    const follower = scenario.cli('run', 'plan.yaml', '--progress', 'KEPT.md');
    const row = await until('the run', async () => (await scenario.api<{ run: string }[]>('/api/runs'))[0]);
    const { run } = row;
    const shown = (): Promise<Shown> => scenario.api<Shown>(`/api/runs/${run}`);
    const file = join(scenario.repository, 'PROGRESS.md');
    const text = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
    writeFileSync(file, '# Our progress\n\nA person wrote this.\n');
    const keeper = scenario.cli('progress', run, 'PROGRESS.md', '--follow');
    await until('the gate in the document', () => /waits for an answer: Run db/.test(text()) || undefined);
    // What a person adds, and what a person changes in a section of ours.
    writeFileSync(
      file,
      text()
        .replace('wrote this.', 'wrote this, and that.')
        .replace(/(### ✓ say more[^\n]*)/, '$1 (by hand)'),
    );
    const answer = ['gate', 'approve', run, 'change/users/deploy', '--note', 'on staging since noon'];
    const approved = await scenario.cli(...answer, '--input', 'version=7').ended;
    expect(approved.code, approved.stderr).toBe(0);
    const kept = await keeper.ended;
    expect(kept.code, kept.stdout + kept.stderr).toBe(0);
    const { phase, tasks } = await shown();
    expect(phase).toBe('completed');
    expect(Object.fromEntries(tasks.map((task) => [task.id, task.phase]))).toEqual({
      'change/users/define': 'completed',
      'change/users/implement': 'completed',
      'change/users/deploy': 'completed',
      'change/users/verify': 'completed',
      'say more': 'completed',
    });
    const followed = await follower.ended;
    expect(followed.code, followed.stdout + followed.stderr).toBe(0);
    expect(readFileSync(join(scenario.repository, 'KEPT.md'), 'utf8')).toMatch(
      /## changes: completed\n[^]*- Deployment: a person approved it; on staging since noon; version=7/,
    );
    const told = text();
    expect(told).toMatch(/^# Our progress\n\nA person wrote this, and that\.\n/);
    expect(told).toMatch(/## changes: completed\n[^]*### ✓ change\/users\/define: completed/);
    expect(told).toMatch(/- Files: `docs\/users\/change\.md`\n- Key features: a table of users\n/);
    expect(told).toMatch(/- Deployment: a person approved it; on staging since noon; version=7/);
    // The branch is there since the gate; the report is written behind it.
    await until(
      'the report',
      () => existsSync(join(scenario.state, 'runs', run, 'report.json')) || undefined,
    );
    const show = (path: string): string => scenario.git('show', `switchyard/${run}:${path}`);
    expect(show('docs/users/change.md')).toBe('change/users/define\nsay more\n');
    expect(JSON.parse(show('db/users/up.json'))).toMatchObject([
      { taskId: 'change/users/define', findings: [{ description: 'no word on deletion' }] },
    ]);
    const replayed = await scenario.cli('replay', run).ended;
    expect(replayed.stdout).toMatch(/its follow-ups are added: say more/);
    expect(replayed.stdout).toMatch(/say more: its follow-ups are refused: .*say more/);
  });
});
