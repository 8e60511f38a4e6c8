import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../bin/switchyard.mjs', import.meta.url));
let folder = '';

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real program, in a folder that is no repository. */
function switchyard(args: readonly string[], path = program): Promise<Ended> {
  const env = { PATH: process.env['PATH'], HOME: folder, XDG_STATE_HOME: join(folder, 'state') };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [path, ...args],
      { cwd: folder, env, timeout: 60_000 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
      },
    );
  });
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-cli-'));
  // Settings of the user's own that must not reach our sources.
  writeFileSync(join(folder, 'tsconfig.json'), '{ this is no JSON');
  writeFileSync(
    join(folder, 'good.yaml'),
    'tasks:\n  - { id: a, workspace: a, executor: { run: make } }\n  - { id: b, workspace: b, dependsOn: a, executor: { run: make } }\n',
  );
  writeFileSync(
    join(folder, 'bad.yaml'),
    'tasks:\n  - { id: a, workspace: ../a, dependsOn: b, executor: { run: make } }\n',
  );
  writeFileSync(join(folder, 'empty.yaml'), '');
  mkdirSync(join(folder, '.bin'));
  symlinkSync(program, join(folder, '.bin', 'switchyard'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the command line', () => {
  it.each([
    [
      ['run', 'shw', 'x'],
      "unknown command 'shw'\n(Did you mean run show?)",
      'run [options] [command] [plan]',
      ' run',
    ],
    [['run', 'show'], "missing required argument 'run'", 'run show [options] <run>', ' run show'],
    [['run', 'a.yaml', 'b.yaml'], "too many arguments for 'run'", 'run [options] [command] [plan]', ' run'],
    [['nothing'], "unknown command 'nothing'", '[options] [command]', ''],
  ])('that is wrong (%j) is told with what the command it means takes', async (args, told, usage, words) => {
    const { code, stderr } = await switchyard(args);
    expect(code).toBe(2);
    expect(stderr).toContain(`error E_USAGE: ${told}`);
    expect(stderr).toContain(`\n  usage: switchyard ${usage}; \`switchyard help${words}\` says more\n`);
  });

  it('checks a plan and says what would run first and how', async () => {
    const ended = await switchyard(['plan', 'check', 'good.yaml']);
    expect(ended).toEqual({
      code: 0,
      stderr: '',
      stdout: [
        'good: 2 tasks, no errors',
        'ready at once (1): a',
        'critical path (2): a → b',
        'strategy: auto → max-parallel: their dependencies let at most 1 run at once, not over 5',
        'at once: 1 task at most',
        '',
      ].join('\n'),
    });
  });

  it('imports a Markdown plan with its documents, never one from outside, and keeps a file that is there', async () => {
    const inside = join(folder, 'project');
    mkdirSync(join(inside, 'plans'), { recursive: true });
    mkdirSync(join(inside, '.git'));
    writeFileSync(join(folder, 'secret.md'), 'a secret');
    writeFileSync(join(inside, 'door.md'), '# The door\n');
    symlinkSync(join(folder, 'secret.md'), join(inside, 'link.md'));
    const rows = ['door.md', '../../secret.md', 'link.md'].map(
      (name) => `| ${name} x | ${name} | review |\n`,
    );
    writeFileSync(join(inside, 'plans', 'p.md'), `| Task | Document | Kind |\n|-|-|-|\n${rows.join('')}`);
    const told = await switchyard(['plan', 'import', 'project/plans/p.md', '-o', 'out.yaml']);
    expect(told).toMatchObject({ code: 0, stdout: 'wrote out.yaml\n' });
    expect(told.stderr.match(/PLAN_DOCUMENT_MISSING/g)).toHaveLength(2);
    const yaml = readFileSync(join(folder, 'out.yaml'), 'utf8');
    expect(yaml).toContain('# The door');
    expect(yaml).not.toContain('a secret');
    expect(await switchyard(['plan', 'import', 'project/plans/p.md', '-o', 'out.yaml'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('out.yaml cannot be written: there is a file already'),
    });
  });

  it('prints all problems of a bad plan with place and fix, and exits with 3', async () => {
    const ended = await switchyard(['plan', 'check', 'bad.yaml']);
    expect(ended).toEqual({
      code: 3,
      stdout: '',
      stderr: [
        'bad.yaml:2:25: error PLAN_PATH_OUTSIDE: Workspace of task a: "../a" leaves the repository',
        '  fix: a path may not go above the root of the repository with ".."',
        'bad.yaml:2:42: error PLAN_UNKNOWN_DEPENDENCY: Task a depends on non-existent task b',
        '  fix: add that task, or remove the dependency',
        '2 errors in bad.yaml',
        '',
      ].join('\n'),
    });
  });

  it('waits for no named pipe and no device, and reads what the shell pipes in, but no more than a plan may have', async () => {
    const pipe = join(folder, 'pipe.yaml');
    execFileSync('mkfifo', [pipe]);
    for (const path of ['/dev/zero', pipe]) {
      const ended = await switchyard(['plan', 'check', path]);
      expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('and a plan is a file')]);
    }
    const script = `head -c 9999999 /dev/zero | "$0" "$1" plan check /dev/stdin`;
    const piped = spawnSync('sh', ['-c', script, process.execPath, program], { encoding: 'utf8' });
    expect([piped.status, piped.stderr]).toEqual([3, expect.stringContaining('PLAN_TOO_LARGE')]);
  });

  it('refuses to run a bad plan before it looks for a repository', async () => {
    expect((await switchyard(['run', 'bad.yaml'])).code).toBe(3);
    expect((await switchyard(['run', 'empty.yaml'])).code).toBe(3);
  });

  it('works through a link, as npm makes them', async () => {
    const ended = await switchyard(['plan', 'graph', 'good.yaml'], join(folder, '.bin', 'switchyard'));
    expect(ended.stdout).toContain('t0 --> t1');
  });

  it('draws a plan as DOT and prints the JSON Schema', async () => {
    expect((await switchyard(['plan', 'graph', 'good.yaml', '--format', 'dot'])).stdout).toContain(
      't0 -> t1;',
    );
    const schema: unknown = JSON.parse((await switchyard(['plan', 'schema'])).stdout);
    expect(schema).toMatchObject({
      title: 'Switchyard plan',
      anyOf: [{ required: ['tasks'] }, { required: ['pipelines'] }],
    });
  });

  it.each([
    ['exit-codes', /^130 {2}ended by ctrl-C/m],
    ['errors', /^E_NO_GIT +exit 4 +git is missing/m],
    ['E_REVIEW_TIMEOUT', /^E_REVIEW_TIMEOUT: No verdict came in time[^]*\nexit 1: /],
    ['E_OUTSIDE_WORKSPACE', /^E_OUTSIDE_WORKSPACE: File access denied: outside workspace\. .*`workspace`/],
    ['E_ACCEPTANCE', /^E_ACCEPTANCE: .*`cd folder && …`/],
    ['metrics', /^switchyard_tasks_total/m],
    ['close-codes', /^4401 +stays away/m],
    ['tables', /^attempts: One row an attempt at a task\.\n {2}run +text +the run \(key\)/m],
  ])('help %s lists what is API', async (topic, line) => {
    const ended = await switchyard(['help', topic]);
    expect([ended.code, ended.stdout]).toEqual([0, expect.stringMatching(line)]);
  });

  it.each([
    [['plan', 'chek', 'good.yaml'], /error E_USAGE: unknown command 'chek'\n\(Did you mean check\?\)/],
    [['plan', 'graph', 'good.yaml', '--format', 'gif'], /error E_USAGE: .*mermaid, dot, svg/],
    [['plan', 'check'], /error E_USAGE: missing required argument 'file'/],
    [['plan', 'check', 'nowhere.yaml'], /error E_USAGE: the plan nowhere.yaml cannot be read/],
    [['run'], /error E_USAGE: which plan\?/],
    [['runs', '--colour'], /error E_USAGE: unknown option '--colour'/],
    [['answer', 'r', 't', '--action', 'dance'], /error E_USAGE: .*retry, skip, fail, accept/],
    [['help', 'dancing'], /error E_USAGE: there is no help on "dancing"/],
  ])('%j is told what is wrong, once, and exits with 2', async (args, text) => {
    const ended = await switchyard(args);
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringMatching(text)]);
    expect(ended.stderr.match(/error E_/g)).toHaveLength(1);
  });

  it('shows help on a word of a command, and of everything without a command', async () => {
    expect((await switchyard(['help', 'run', 'show'])).stdout).toContain('Usage: switchyard run show');
    expect(await switchyard([])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Plans and runs:') as string,
    });
    expect(await switchyard(['run', '--help'])).toMatchObject({ code: 0, stderr: '' });
  });

  it('claims no success where who read its words went before it knew how it ends', async () => {
    const child = spawn(process.execPath, [program, 'review'], { cwd: folder });
    child.stderr.destroy();
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    expect([(await once(child, 'close'))[0], printed]).toEqual([141, '']);
  });

  it('needs a token to talk to a hub elsewhere, and says when nobody answers', async () => {
    const without = await switchyard(['workers', '--hub', 'ws://127.0.0.1:9/hub']);
    expect([without.code, without.stderr]).toEqual([
      6,
      expect.stringContaining('error E_TOKEN: there is no token'),
    ]);
  });
});
