import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Scenario, until } from './harness.ts';

interface TaskRow {
  readonly id: string;
  readonly phase: string;
  readonly attempt: number;
  readonly worker?: string;
}
interface RunRow {
  readonly run: string;
  readonly phase: string;
  readonly tip: string;
  readonly tasks: readonly TaskRow[];
}

/** Six tasks in two layers; each writes one file of its own, the slow ones after some seconds. */
function planText(seconds: number): string {
  const task = (id: string, dependsOn: readonly string[]): string =>
    [
      `  - id: ${id}`,
      `    instructions: Write ${id}`,
      `    workspace: out/${id}`,
      `    dependsOn: [${dependsOn.join(', ')}]`,
      `    executor: { kind: command, run: ["sleep ${seconds}", "mkdir -p out/${id} && echo ${id} > out/${id}/result.txt"] }`,
      `    acceptance: [{ run: "test -f out/${id}/result.txt" }]`,
    ].join('\n');
  const tasks = [
    task('a', []),
    task('b', []),
    task('c', []),
    task('d', ['a', 'b']),
    task('e', ['b', 'c']),
    task('f', ['d', 'e']),
  ];
  return `version: 1\nname: six\nlimits: { workers: 4 }\ndefaults: { review: { mode: never } }\nverify: { run: ["test -d out"] }\ntasks:\n${tasks.join('\n')}\n`;
}

const scenarios: Scenario[] = [];
function scenario(seconds = 0.2): Scenario {
  const made = new Scenario({ 'readme.txt': 'a repository\n', 'plan.yaml': planText(seconds) });
  scenarios.push(made);
  return made;
}
afterEach(async () => {
  await Promise.all(scenarios.splice(0).map((made) => made.close()));
});

const standing = ['--port', '0', '--workers-max', '0', '--reviewers-max', '0'];

/** Subjects of the merge commits of a run, one a task. */
function integrated(made: Scenario, run: string): string[] {
  return made
    .git(
      'log',
      '--first-parent',
      '--format=%(trailers:key=Switchyard-Task,valueonly,separator=%x2C)',
      `switchyard/${run}`,
    )
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

async function onlyRun(made: Scenario): Promise<RunRow> {
  const [summary] = await made.api<RunRow[]>('/api/runs');
  return made.api<RunRow>(`/api/runs/${summary?.run ?? ''}`);
}

describe('the daemons', () => {
  it('start in any order, carry a run out, and end within 5 s of ctrl-C', async () => {
    const made = scenario();
    const worker = made.daemon('worker');
    const reviewer = made.daemon('reviewer');
    const orchestrator = made.daemon('orchestrator', ...standing);
    await made.orchestrator();
    const run = await made.cli('run', 'plan.yaml').ended;
    expect(run.stdout + run.stderr).toContain('completed');
    expect(run.code).toBe(0);
    const { run: id } = await onlyRun(made);
    expect(integrated(made, id)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(made.git('status', '--porcelain')).toBe('');

    for (const { child } of [orchestrator, worker, reviewer]) child.kill('SIGINT');
    const ends = await Promise.all([orchestrator.ended, worker.ended, reviewer.ended]);
    expect(ends.map(({ code }) => code)).toEqual([130, 130, 130]);
    expect(made.leftovers()).toEqual([]);
  });

  it('finish a run whose worker is killed in the middle', async () => {
    const made = scenario(1);
    made.daemon('orchestrator', ...standing, '--lease-grace-ms', '1000');
    await made.orchestrator();
    const doomed = made.daemon('worker');
    const client = made.cli('run', 'plan.yaml');
    await until('a running task', async () =>
      (await onlyRun(made).catch(() => undefined))?.tasks.find(({ phase }) => phase === 'running'),
    );
    doomed.child.kill('SIGKILL');
    made.daemon('worker');
    const ended = await client.ended;
    expect(ended.code, ended.stdout + ended.stderr).toBe(0);
    expect(integrated(made, (await onlyRun(made)).run)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  it('go on after the orchestrator is killed, and run nothing twice', async () => {
    const made = scenario(1);
    const first = made.daemon('orchestrator', ...standing);
    await made.orchestrator();
    made.daemon('worker');
    made.daemon('worker');
    const submitted = await made.cli('run', 'plan.yaml', '--detach').ended;
    expect(submitted.code, submitted.stderr).toBe(0);
    await until('two running tasks', async () => {
      const running = (await onlyRun(made)).tasks.filter(({ phase }) => phase === 'running');
      return running.length >= 2 ? running : undefined;
    });
    first.child.kill('SIGKILL');
    await first.ended;
    made.daemon('orchestrator', ...standing);
    const ended = await until('the end of the run', async () => {
      const row = await onlyRun(made).catch(() => undefined);
      return row?.phase === 'completed' || row?.phase === 'failed' ? row : undefined;
    });
    expect(ended.phase).toBe('completed');
    expect(ended.tasks.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1, 1, 1]);
    await until(
      'the published branch',
      () => made.git('branch', '--list', `switchyard/${ended.run}`) || undefined,
    );
    expect(integrated(made, ended.run)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  it('two orchestrators on one state folder: the second says who holds it', async () => {
    const made = scenario();
    made.daemon('orchestrator', ...standing);
    const { pid } = await made.orchestrator();
    const second = await made.daemon('orchestrator', ...standing).ended;
    expect(second.code).toBe(7);
    expect(second.stderr).toContain('error E_STATE_LOCKED');
    expect(second.stderr).toContain(`process ${pid}`);
  });

  it('a port that was asked for by number and is taken is refused; one that was not falls back', async () => {
    const [one, other] = [scenario(), scenario()];
    one.daemon('orchestrator', ...standing);
    const { url } = await one.orchestrator();
    const port = new URL(url).port;
    const refused = await other.daemon('orchestrator', '--port', port).ended;
    expect(refused.code).toBe(7);
    expect(refused.stderr).toContain(`port ${port}`);
  });

  it('a wrong token and an unreadable hub each get one clear message', async () => {
    const made = scenario();
    made.daemon('orchestrator', ...standing);
    const { url } = await made.orchestrator();
    const file = join(made.folder, 'wrong-token');
    writeFileSync(file, 'x'.repeat(52));
    const refused = await made.daemon('worker', '--hub', url, '--token-file', file).ended;
    expect(refused.code).toBe(6);
    expect(refused.stderr).toContain('error E_TOKEN');
  });

  it('binds nothing but the loopback without TLS', async () => {
    const made = scenario();
    const refused = await made.daemon('orchestrator', '--host', '0.0.0.0', '--port', '0').ended;
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('error E_BIND_INSECURE');
  });

  it('keep token and address where only their owner can read them', async () => {
    const made = scenario();
    made.daemon('orchestrator', ...standing);
    await made.orchestrator();
    const { statSync } = await import('node:fs');
    for (const name of ['token', 'orchestrator.json'])
      expect(statSync(join(made.state, name)).mode & 0o077).toBe(0);
    expect(readFileSync(join(made.state, 'logs', 'orchestrator.1.ndjson'), 'utf8')).not.toContain(
      made.token(),
    );
  });
});
