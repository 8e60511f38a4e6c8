import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processStart } from '@switchyard/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import { cliBin, Scenario, until, type Ended } from './harness.ts';

const scenarios: Scenario[] = [];
function scenario(files: Readonly<Record<string, string>>, options: { commit?: boolean } = {}): Scenario {
  const made = new Scenario({ 'readme.txt': 'a repository\n', ...files }, options);
  scenarios.push(made);
  return made;
}
afterEach(async () => {
  await Promise.all(scenarios.splice(0).map((made) => made.close()));
});

/** A plan of tasks without reviews; each is its id, workspace, command and what else it says. */
function plan(...tasks: readonly { id: string; workspace: string; run: string; more?: string }[]): string {
  const text = tasks.map(
    ({ id, workspace, run, more }) =>
      `  - id: ${id}\n    instructions: ${id}\n    workspace: ${workspace}\n    executor: { kind: command, run: [${JSON.stringify(run)}] }\n${more ?? ''}`,
  );
  return `version: 1\nname: bad\ndefaults: { retries: 0, review: { mode: never } }\ntasks:\n${text.join('')}`;
}
const good = plan({ id: 'one', workspace: 'one', run: 'mkdir -p one && echo 1 > one/file' });

function run(made: Scenario, ...more: string[]): Promise<Ended> {
  return made.cli('run', 'plan.yaml', ...more).ended;
}
const said = (ended: Ended): string => ended.stdout + ended.stderr;

describe('bad repositories', () => {
  it('no git repository', async () => {
    const made = scenario({ 'plan.yaml': good });
    execFileSync('rm', ['-rf', join(made.repository, '.git')]);
    const ended = await run(made);
    expect([ended.code, said(ended)]).toEqual([5, expect.stringContaining('error E_NOT_A_REPOSITORY')]);
  });

  it('a repository without a commit', async () => {
    const ended = await run(scenario({ 'plan.yaml': good }, { commit: false }));
    expect([ended.code, said(ended)]).toEqual([5, expect.stringContaining('error E_NO_COMMITS')]);
  });

  it('a bare repository', async () => {
    const made = scenario({ 'plan.yaml': good });
    made.git('config', 'core.bare', 'true');
    const ended = await run(made);
    expect([ended.code, said(ended)]).toEqual([5, expect.stringContaining('error E_BARE_REPOSITORY')]);
  });

  it('a detached head and a dirty tree are served, say what the run leaves out, and nothing of the checkout changes', async () => {
    const made = scenario({ 'plan.yaml': good });
    made.git('checkout', '-q', '--detach');
    made.write({ 'readme.txt': 'dirty\n', 'untracked.txt': 'mine\n' });
    const before = made.git('status', '--porcelain');
    const ended = await run(made);
    expect([ended.code, said(ended)]).toEqual([0, expect.stringContaining('completed')]);
    const head = made.git('rev-parse', 'HEAD').slice(0, 7);
    expect(ended.stderr).toBe(
      `the run begins at your last commit (${head}): readme.txt, untracked.txt are not committed, so they are not in it\n`,
    );
    expect(made.git('status', '--porcelain')).toBe(before);
    expect(existsSync(join(made.repository, 'one'))).toBe(false);
  });

  it("the user's hooks, filters and merge drivers never run", async () => {
    const made = scenario({ 'plan.yaml': good, '.gitattributes': '* merge=evil filter=evil\n' });
    const mark = join(made.folder, 'ran');
    const script = `touch ${mark}`;
    made.git('config', 'merge.evil.driver', script);
    made.git('config', 'filter.evil.smudge', script);
    made.git('config', 'filter.evil.clean', script);
    made.git('config', 'core.fsmonitor', script);
    mkdirSync(join(made.repository, '.git/hooks'), { recursive: true });
    for (const hook of [
      'post-checkout',
      'pre-commit',
      'post-commit',
      'reference-transaction',
      'post-merge',
    ]) {
      writeFileSync(join(made.repository, '.git/hooks', hook), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    const ended = await run(made);
    expect([ended.code, said(ended)]).toEqual([0, expect.stringContaining('completed')]);
    expect(existsSync(mark)).toBe(false);
  });
});

describe('bad machines', () => {
  it('no git: the text names what to install', async () => {
    const made = scenario({ 'plan.yaml': good });
    const empty = join(made.folder, 'no-programs');
    mkdirSync(empty);
    const ended = await made.start(process.execPath, [cliBin, 'run', 'plan.yaml'], { PATH: empty }).ended;
    expect([ended.code, said(ended)]).toEqual([4, expect.stringContaining('error E_NO_GIT')]);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'a disk that fills up at the journal: one clear text, and nothing that was acknowledged is lost',
    async () => {
      const made = scenario({ 'plan.yaml': good });
      mkdirSync(made.stateRoot);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', made.stateRoot]);
      try {
        made.daemon('orchestrator', '--port', '0', '--workers-max', '0', '--reviewers-max', '0');
        const { pid } = await made.orchestrator();
        const submitted = await made.cli('run', 'plan.yaml', '--detach').ended;
        expect(submitted.code, said(submitted)).toBe(0);
        const filler = join(made.stateRoot, 'filler');
        try {
          execFileSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k'], { stdio: 'pipe' });
        } catch {
          // dd ends when the disk is full, which is the point
        }
        const refused = await made.cli('run', 'plan.yaml', '--detach').ended;
        expect(said(refused)).toMatch(/error E_(DISK_FULL|STORAGE|UNREACHABLE|IO)/);
        expect(refused.code).not.toBe(0);
        rmSync(filler);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        if (processStart(pid) === undefined)
          made.daemon('orchestrator', '--port', '0', '--workers-max', '0', '--reviewers-max', '0');
        made.daemon('worker');
        const runs = await until('the end of the first run', async () => {
          const found = await made.api<{ phase: string }[]>('/api/runs').catch(() => undefined);
          return found?.some(({ phase }) => phase === 'completed') === true ? found : undefined;
        });
        expect(runs.filter(({ phase }) => phase === 'completed').length).toBeGreaterThanOrEqual(1);
      } finally {
        await made.end();
        execFileSync('umount', ['-l', made.stateRoot]);
      }
    },
  );

  it("leaves nothing in the checkout that the repository's own tools could collect", async () => {
    const made = scenario({ 'plan.yaml': good });
    const ended = await run(made);
    expect([ended.code, said(ended)]).toEqual([0, expect.stringContaining('completed')]);
    expect(readdirSync(made.repository).sort()).toEqual(['.git', 'plan.yaml', 'readme.txt']);
  });
});

describe('bad plans', () => {
  const cases: readonly (readonly [string, string | Buffer, RegExp])[] = [
    ['0 bytes', '', /PLAN_EMPTY|empty/i],
    ['binary', Buffer.from([0, 1, 2, 255, 254, 0, 7]), /binary|not UTF-8|PLAN_/i],
    ['10 MB', `# ${'x'.repeat(10 * 1024 * 1024)}\n`, /E_PLAN_TOO_LARGE|PLAN_TOO_LARGE|too large/i],
  ];
  for (const [name, content, text] of cases) {
    it(name, async () => {
      const made = scenario({});
      writeFileSync(join(made.repository, 'plan.yaml'), content);
      const ended = await run(made);
      expect([ended.code, said(ended)]).toEqual([3, expect.stringMatching(text)]);
    });
  }

  it('a folder is told as one', async () => {
    const ended = await scenario({ 'plans/one.yaml': good }).cli('run', 'plans').ended;
    expect([ended.code, ended.stderr]).toEqual([
      2,
      expect.stringContaining('the plan plans cannot be read: it is a folder, and a plan is a file'),
    ]);
  });

  it('5,000 tasks are checked, and the answer says so', async () => {
    const many = Array.from({ length: 5_000 }, (_, index) => ({
      id: `t${index}`,
      workspace: `w/${index}`,
      run: 'true',
    }));
    const made = scenario({ 'plan.yaml': plan(...many) });
    const ended = await made.cli('plan', 'check', 'plan.yaml').ended;
    expect([ended.code, said(ended)]).toEqual([0, expect.stringContaining('5000')]);
  });
});

describe('bad commands', () => {
  it('one that hangs is ended at its time limit, with what to do', async () => {
    const made = scenario({
      'plan.yaml': plan({
        id: 'one',
        workspace: 'one',
        run: 'sleep 600',
        more: '    timeoutMinutes: 0.05\n',
      }),
    });
    const ended = await run(made);
    expect([ended.code, said(ended)]).toEqual([1, expect.stringContaining('E_COMMAND_TIMEOUT')]);
  });

  it('one that prints 1 GB is cut, and the run goes on', async () => {
    const made = scenario({
      'plan.yaml': plan({
        id: 'one',
        workspace: 'one',
        run: 'head -c 1000000000 /dev/zero | tr "\\\\0" x; mkdir -p one; echo 1 > one/file',
      }),
    });
    const ended = await run(made);
    expect([ended.code, said(ended).length < 200_000]).toEqual([0, true]);
  });

  it('one that forks without end is ended, and the machine lives', async () => {
    const made = scenario({
      'plan.yaml': plan({
        id: 'one',
        workspace: 'one',
        run: 'f() { f | f & }; f; sleep 20',
        more: '    timeoutMinutes: 0.1\n',
      }),
    });
    const ended = await run(made);
    expect(ended.code).toBe(1);
    expect(made.leftovers()).toEqual([]);
  });

  it('one that writes outside its workspace is refused, and the file is not there', async () => {
    const made = scenario({
      'plan.yaml': plan({
        id: 'one',
        workspace: 'one',
        run: `mkdir -p one; echo 1 > one/file; echo x > readme.txt; echo x > ${'$'}HOME/../escaped`,
      }),
    });
    const ended = await run(made);
    expect([ended.code, said(ended)]).toEqual([
      1,
      expect.stringMatching(/E_COMMAND_FAILED|E_WORKSPACE_VIOLATION/),
    ]);
    expect(readFileSync(join(made.repository, 'readme.txt'), 'utf8')).toBe('a repository\n');
  });
});

describe('awkward work', () => {
  it('a workspace that is a single file', async () => {
    const made = scenario({
      'notes.md': '# notes\n',
      'plan.yaml': plan({ id: 'one', workspace: 'notes.md', run: 'echo more >> notes.md' }),
    });
    const ended = await run(made);
    expect([ended.code, said(ended)]).toEqual([0, expect.stringContaining('completed')]);
    const [branch = ''] = made
      .git('branch', '--list', 'switchyard/*', '--format=%(refname)')
      .trim()
      .split('\n');
    expect(made.git('show', `${branch}:notes.md`)).toBe('# notes\nmore\n');
  });

  it('a directory that one task renames while another writes in it', async () => {
    const made = scenario({
      'lib/a.txt': 'a\n',
      'plan.yaml': plan(
        { id: 'rename', workspace: '[lib, moved]', run: 'mkdir -p moved && mv lib/a.txt moved/a.txt' },
        { id: 'write', workspace: 'lib', run: 'echo b > lib/b.txt', more: '    dependsOn: [rename]\n' },
      ),
    });
    const ended = await run(made);
    expect([ended.code, said(ended)]).toEqual([0, expect.stringContaining('completed')]);
    const [branch = ''] = made
      .git('branch', '--list', 'switchyard/*', '--format=%(refname)')
      .trim()
      .split('\n');
    expect(
      made
        .git('ls-tree', '-r', '--name-only', branch)
        .split('\n')
        .filter((name) => /lib|moved/.test(name)),
    ).toEqual(['lib/b.txt', 'moved/a.txt']);
  });

  it('two repositories at once', async () => {
    const pair = [scenario({ 'plan.yaml': good }), scenario({ 'plan.yaml': good })];
    const ends = await Promise.all(pair.map((made) => run(made)));
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
  });
});
