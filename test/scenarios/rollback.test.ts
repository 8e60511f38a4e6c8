import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Scenario, until } from './harness.ts';

/** The second attempt finds the note of the gate among its findings and writes it down. */
const plan = `version: 1
name: undo
defaults: { review: { mode: never } }
verify: { run: ['test -e ground/file', 'test -e top/file || sleep 4'], when: each }
tasks:
  - id: ground
    instructions: lay the ground
    workspace: ground
    executor: { kind: command, run: ["mkdir -p ground; grep -o 'too short' \\"$SWITCHYARD_FEEDBACK\\" >> ground/file || echo one > ground/file", "cp handover.json \\"$SWITCHYARD_HANDOVER\\""] }
  - id: look
    kind: manual
    dependsOn: ground
    gate: { onReject: send-back }
  - id: top
    instructions: put something on it
    workspace: top
    dependsOn: look
    executor: { kind: command, run: ["mkdir -p top; cp ground/file top/file; cp \\"$SWITCHYARD_UPSTREAM\\" top/upstream.json"] }
  - id: aside
    instructions: something else
    workspace: aside
    executor: { kind: command, run: ["mkdir -p aside; echo aside > aside/file"] }
`;

interface Shown {
  readonly run: string;
  readonly phase: string;
  readonly tasks: readonly { readonly id: string; readonly phase: string; readonly attempt: number }[];
}

const scenarios: Scenario[] = [];
afterEach(() => Promise.all(scenarios.splice(0).map((made) => made.close())));

async function shown(made: Scenario): Promise<Shown> {
  const [run] = await made.api<{ run: string }[]>('/api/runs');
  return made.api<Shown>(`/api/runs/${run?.run ?? ''}`);
}

const phaseOf = ({ tasks }: Shown, id: string): string | undefined =>
  tasks.find((task) => task.id === id)?.phase;

function commandsOf(made: Scenario) {
  return async (...words: string[]): Promise<{ code: number | null; text: string }> => {
    const { code, stdout, stderr } = await made.cli(...words).ended;
    return { code, text: stdout + stderr };
  };
}

/** Whether the branch in the user's repository has the ground like this; before it is there, git fails. */
function seen(show: (path: string) => string, text: string): () => true | undefined {
  return () => {
    try {
      return show('ground/file') === text || undefined;
    } catch {
      return undefined;
    }
  };
}

describe('work that is sent back and taken back, by real processes', () => {
  it('is done again with the note, and is off the branch once, though the orchestrator is killed', async () => {
    const made = new Scenario({ 'handover.json': '{"blockers": ["mind the gap"]}', 'plan.yaml': plan });
    scenarios.push(made);
    const first = made.daemon('orchestrator', '--port', '0', '--workers-max', '2');
    await made.orchestrator();
    const cli = commandsOf(made);
    expect(await cli('run', 'plan.yaml', '--detach')).toMatchObject({ code: 0 });
    const waits = (): Promise<Shown> =>
      until('the gate', async () => {
        const run = await shown(made);
        return phaseOf(run, 'look') === 'waiting' ? run : undefined;
      });
    const { run } = await waits();
    const show = (path: string): string => made.git('show', `switchyard/${run}:${path}`);
    await until('what the gate asks of, on the branch', seen(show, 'one\n'));
    expect(await cli('gate', 'reject', run, 'look', '--note', 'too short')).toMatchObject({ code: 0 });
    expect((await waits()).tasks[0]).toMatchObject({ id: 'ground', phase: 'completed', attempt: 2 });
    await until('what it asks of again', seen(show, 'one\ntoo short\n'));
    expect(await cli('gate', 'approve', run, 'look')).toMatchObject({ code: 0 });
    await until('the end', async () => ((await shown(made)).phase === 'completed' ? true : undefined));
    await until('the report', () => existsSync(join(made.state, 'runs', run, 'report.json')) || undefined);
    expect(show('top/file')).toBe('one\ntoo short\n');
    // Of the gate and, behind it, of the work that it judges.
    expect(JSON.parse(show('top/upstream.json'))).toMatchObject([
      {
        ...{ taskId: 'ground', phase: 'completed', findings: [], leftOut: 0 },
        ...{ filesChanged: [{ path: 'ground/file', change: 'modified' }], blockers: ['mind the gap'] },
      },
      { taskId: 'look', phase: 'completed', filesChanged: [], blockers: [] },
    ]);

    const refused = await cli('rollback', run, '--task', 'ground');
    expect(refused.text).toMatch(/top \(merged\) rests on ground; --with-dependants/);
    expect(refused.code).not.toBe(0);
    const unverified = await cli('rollback', run, '--task', 'ground', '--with-dependants');
    expect(unverified.text).toMatch(/does not pass without .*`test -e ground\/file` ended with 1/);
    expect(show('top/file')).toBe('one\ntoo short\n');

    const asked = made.cli('rollback', run, '--task', 'top', '--reason', 'it was too much');
    await until('its verification', async () => {
      const lines = (await cli('replay', run)).text.split('\n');
      return lines.filter((line) => line.includes(' merges-reverted ')).length === 2 ? true : undefined;
    });
    // Who asked would have the work done by an orchestrator of its own, were it still there.
    asked.child.kill('SIGKILL');
    await asked.ended;
    first.child.kill('SIGKILL');
    await first.ended;
    made.daemon('orchestrator', '--port', '0', '--workers-max', '2');
    await until('the rollback', async () => {
      const now = await shown(made).catch(() => undefined);
      return now !== undefined && phaseOf(now, 'top') === 'rolled-back' ? now : undefined;
    });
    await until('the new report', () =>
      existsSync(join(made.state, 'runs', run, 'report.json')) &&
      readFileSync(join(made.state, 'runs', run, 'report.md'), 'utf8').includes('it was too much')
        ? true
        : undefined,
    );
    const log = made.git('log', '--format=%s', `switchyard/${run}`);
    expect(log.match(/Roll back: put something on it/g)).toHaveLength(1);
    expect(made.git('ls-tree', '-r', '--name-only', `switchyard/${run}`).trim().split('\n')).toEqual([
      ...['aside/file', 'ground/file', 'handover.json', 'plan.yaml'],
    ]);
    const again = await cli('rollback', run, '--task', 'top');
    expect(again.text).toMatch(/task top is rolled-back/);
    const replayed = await cli('replay', run);
    expect(replayed.text).toMatch(/rolling back top: it was too much/);
  });
});
