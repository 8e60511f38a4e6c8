import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cliBin, Scenario, until, type Running } from './harness.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** Every command of the README's shell blocks, in order. */
const commands = [...readme.matchAll(/^```sh\n([^]*?)^```/gm)].flatMap(([, block = '']) =>
  block.trim().split('\n'),
);
const planText = /^```yaml\n([^]*?)^```/m.exec(readme)?.[1] ?? '';
const pipelinePlan = /^```yaml\n(version: 1\nname: changes\n[^]*?)^```/m.exec(readme)?.[1] ?? '';
const markdownPlan = /^```md\n([^]*?)^```/m.exec(readme)?.[1] ?? '';

/** The files of the recipe for agents, each as it is printed. */
const agentFiles = {
  'agents.yaml': /^```yaml\n(# agents\.yaml\n[^]*?)^```/m.exec(readme)?.[1] ?? '',
  'agents.json': /^```json\n(\{\n {2}"my-agent"[^]*?)^```/m.exec(readme)?.[1] ?? '',
  'servers.json': /^```json\n(\{\n {2}"tickets"[^]*?)^```/m.exec(readme)?.[1] ?? '',
};
const installAgent = commands.find((command) => command.startsWith('npm install --prefix')) ?? '';

const invite = 'npx switchyard invite --role worker';
const revoke = 'npx switchyard workers revoke NAME';
/**
 * Tried elsewhere: by the main job's scenario, by this very run, by hand (it writes outside), between two machines, by the
 * tests of real agents (it needs a registry), by the test of the tarball.
 */
const elsewhere: ReadonlySet<string> = new Set([
  'npm start',
  'npm test',
  'npm link --workspace apps/cli',
  installAgent,
  invite,
  revoke,
  'npm run pack',
  'npm install --global ./switchyard-0.1.0.tgz',
]);
/** They stay until ctrl-C; the text shows that they are up. */
const standing: Readonly<Record<string, RegExp>> = {
  'npx switchyard up': /ready/,
  'npx switchyard orchestrator --host 0.0.0.0 --tls-hosts build.example.org': /orchestrator ready/,
  'npx switchyard worker': /connected/,
  'npx switchyard mcp --http': /listening at/,
  'npx switchyard logs -f': /\S/,
  'npx switchyard logs -f --task greet --level warn': /^/,
};
/** They answer what only a task that waits can be asked. */
const answers = /^npx switchyard (gate|answer) /;
/** They take what only an attempt that was lost leaves behind; tried by the command line's own test. */
const ofKeptWork = /^npx switchyard salvage (show|take) /;
/** They review a task of a specification, which is put there for them. */
const ofSessions = /^npx switchyard session /;
const down = 'npx switchyard down';

const plain = commands.filter(
  (command) =>
    !elsewhere.has(command) &&
    !(command in standing) &&
    !answers.test(command) &&
    !ofKeptWork.test(command) &&
    !ofSessions.test(command) &&
    command !== down,
);

const waitingPlan = `version: 1
name: waits
tasks:
  - { id: gate-1, kind: manual, instructions: Look at it }
  - { id: gate-2, kind: manual, instructions: Look at it, gate: { inputs: [version] } }
  - { id: gate-3, kind: manual, instructions: Look at it }
  - id: asks
    instructions: ask
    workspace: asked
    review: { mode: never }
    executor: { kind: command, run: ['[ -n "$SWITCHYARD_ANSWER" ] || { echo "{\\"reason\\": \\"which one?\\"}" > "$SWITCHYARD_ESCALATION"; exit 75; }', 'mkdir -p asked && echo 1 > asked/file'] }
`;

describe('every command of the README works as printed', () => {
  let made: Scenario;
  let daemon: Running;

  beforeAll(async () => {
    made = new Scenario({
      '.gitignore': 'node_modules/\n',
      'my-plan.yaml': planText,
      'my-plan.md': markdownPlan,
      'my-pipeline.yaml': pipelinePlan,
      'waits.yaml': waitingPlan,
      ...agentFiles,
    });
    // What `review` is pointed at.
    mkdirSync(join(made.repository, '../other-project'));
    writeFileSync(join(made.repository, '../other-project/answer.js'), 'export const answer = 42;\n');
    // What `npm link` gives: npx finds the program.
    mkdirSync(join(made.repository, 'node_modules/.bin'), { recursive: true });
    symlinkSync(cliBin, join(made.repository, 'node_modules/.bin/switchyard'));
    daemon = made.daemon('orchestrator', '--port', '0');
    await made.orchestrator();
  });
  afterAll(() => made.close(), 30_000);

  const shell = (command: string): Running => made.start('sh', ['-c', `exec ${command}`], { CI: '1' });
  const lastRun = async (name: string): Promise<string> => {
    const runs = await made.api<{ run: string }[]>('/api/runs');
    return runs.map(({ run }) => run).findLast((run) => run.startsWith(name)) ?? '';
  };

  /** Without npx between, which keeps a ctrl-C that is not the terminal's to itself. */
  const standingOne = (command: string): Running => made.cli(...command.split(' ').slice(2));

  it('names commands of every kind', () => {
    expect(plain.length).toBeGreaterThan(8);
    expect(Object.values(agentFiles)).not.toContain('');
    for (const known of [...elsewhere, ...Object.keys(standing), down]) expect(commands).toContain(known);
  });

  it('runs, looks at and takes a result', async () => {
    for (const printed of plain) {
      const command = printed.replace('RUN', await lastRun('hello'));
      const { code, stdout, stderr } = await shell(command).ended;
      expect(code, `${command}\n${stdout}${stderr}`).toBe(0);
    }
    expect(readFileSync(join(made.repository, 'loud/hello.txt'), 'utf8')).toBe('HELLO\n');
  });

  it('answers gates and questions', async () => {
    const { code, stderr } = await shell('npx switchyard run waits.yaml --detach').ended;
    expect(code, stderr).toBe(0);
    const run = await lastRun('waits');
    await until('all that wait', async () => {
      const { tasks } = await view(made, run);
      return tasks.every(({ phase }) => phase === 'waiting') ? tasks : undefined;
    });
    const tasks = ['gate-1', 'gate-1', 'gate-2', 'gate-3', 'asks'];
    for (const printed of commands.filter((command) => answers.test(command))) {
      const command = printed.replace('RUN', run).replace('TASK', tasks.shift() ?? '');
      const ended = await shell(command).ended;
      expect(ended.code, `${command}\n${ended.stdout}${ended.stderr}`).toBe(0);
    }
    await until('the end', async () => ((await view(made, run)).phase === 'failed' ? true : undefined));
  });

  it('reviews a task of a specification', async () => {
    const project = new URL('../../packages/review/test/fixtures/session-project', import.meta.url);
    cpSync(project, made.repository, { recursive: true });
    made.commit('a specification and what was done for it');
    for (const command of commands.filter((one) => ofSessions.test(one))) {
      const { code, stdout, stderr } = await shell(command).ended;
      expect(code, `${command}\n${stdout}${stderr}`).toBe(0);
    }
    expect(readFileSync(join(made.repository, 'docs/specs/task.md'), 'utf8')).toContain(
      '- [x] 1. Token store',
    );
  });

  it('keeps what stands until ctrl-C', async () => {
    for (const command of [
      'npx switchyard worker',
      'npx switchyard logs -f',
      'npx switchyard logs -f --task greet --level warn',
      'npx switchyard mcp --http',
    ]) {
      await standsUntilInterrupt(standingOne(command), command);
    }
    expect((await shell(down).ended).code).toBe(0);
    await daemon.ended;
    for (const command of [
      'npx switchyard up',
      'npx switchyard orchestrator --host 0.0.0.0 --tls-hosts build.example.org',
    ]) {
      await standsUntilInterrupt(standingOne(command), command);
    }
    expect(made.leftovers()).toEqual([]);
  });
});

function view(made: Scenario, run: string): Promise<{ phase: string; tasks: { phase: string }[] }> {
  return made.api(`/api/runs/${run}`);
}

async function standsUntilInterrupt(running: Running, command: string): Promise<void> {
  await until(`${command} to be up`, () =>
    standing[command]?.test(running.output()) === true ? true : undefined,
  );
  await new Promise((resolve) => setTimeout(resolve, 500));
  running.child.kill('SIGINT');
  const { code, signal } = await running.ended;
  expect([0, 130, null], `${command} ${signal ?? ''}`).toContain(code);
}
