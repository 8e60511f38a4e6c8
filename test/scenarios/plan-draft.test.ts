import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cliBin, Scenario, until } from './harness.ts';

const files = {
  'package.json': JSON.stringify({
    workspaces: ['packages/*'],
    scripts: { test: 'ls packages/web/greeting' },
  }),
  'packages/core/package.json': JSON.stringify({ name: '@acme/core' }),
  'packages/web/package.json': JSON.stringify({ name: '@acme/web', dependencies: { '@acme/core': '*' } }),
  // Hands in a plan with problems first, and mends it when it is told; in a task of the plan it does the work.
  'agent.mjs': `import { readFileSync, writeFileSync } from 'node:fs';
const told = readFileSync(process.env.SWITCHYARD_INSTRUCTIONS, 'utf8');
const plan = (second) => 'name: agreed\\ndefaults: { review: never, executor: { kind: command, run: node agent.mjs } }\\ntasks:\\n' +
  '  - { id: core, instructions: greet from core, workspace: packages/core }\\n' +
  '  - { id: web, instructions: greet from web, workspace: ' + second + ', dependsOn: [] }\\n';
if (told.startsWith('greet from ')) {
  const folder = 'packages/' + process.env.SWITCHYARD_TASK;
  writeFileSync(folder + '/greeting', told);
} else {
  const bad = !told.includes('lies inside') && !told.includes('the same workspace') || told.includes('stubborn');
  if (told.includes('silent')) process.exit(0);
  if (told.includes('hostile')) writeFileSync('packages/core/stolen', 'x');
  console.log('Here it is:\\n\`\`\`yaml\\n' + plan(bad ? 'packages/core/inside' : 'packages/web') + '\`\`\`\\n');
}
`,
};
const byAgent = ['--agent-command', 'node agent.mjs'];

let made: Scenario;
beforeAll(() => {
  made = new Scenario(files);
});
afterAll(() => made.close(), 30_000);

const draft = (...words: string[]) => made.cli('plan', 'draft', ...words).ended;
/** On a machine that has everything else: where bubblewrap may stand is nothing that can be run. */
const withoutBubblewrap = (...words: string[]) => {
  const places = ['/usr/bin/bwrap', '/usr/local/bin/bwrap', '/run/current-system/sw/bin/bwrap'].filter(
    existsSync,
  );
  const hidden = places.flatMap((place) => ['--ro-bind', '/dev/null', place]);
  const held = ['--die-with-parent', '--dev-bind', '/', '/', ...hidden, '--'];
  return made.start(places[0] ?? '', [...held, process.execPath, cliBin, 'plan', 'draft', ...words]).ended;
};
const runsOf = async (): Promise<{ run: string; phase: string }[]> => {
  const { stdout } = await made.cli('runs', '--json').ended;
  return JSON.parse(stdout) as { run: string; phase: string }[];
};
const inRepository = (name: string): string => join(made.repository, name);

describe('plan draft --static', () => {
  it('shows a plan from the workspaces, with no daemon, and writes nothing by itself', async () => {
    const { code, stdout, stderr } = await draft('Greet people', '--static', '--agent', 'codex');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/workspace: packages\/core[^]*workspace: packages\/web[^]*dependsOn:\n\s+- core/);
    expect(stdout).toMatch(/agent: codex/);
    expect(stdout).toMatch(/# ready at once \(1\): core/);
    expect(stderr).toMatch(/nothing is written/);
    expect(existsSync(inRepository('Greet-people.yaml'))).toBe(false);
    expect(existsSync(made.stateRoot)).toBe(false);
  });

  it('writes it where it is told to, once, and what is written passes the checks', async () => {
    const words = ['Greet people', '--static', ...byAgent, '--output', 'mine.yaml'];
    expect(await draft(...words)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('wrote mine.yaml'),
    });
    expect((await made.cli('plan', 'check', 'mine.yaml').ended).code).toBe(0);
    const before = readFileSync(inRepository('mine.yaml'), 'utf8');
    expect(await draft(...words)).toMatchObject({ code: 2, stderr: expect.stringContaining('file already') });
    expect(readFileSync(inRepository('mine.yaml'), 'utf8')).toBe(before);
  });

  it.each([
    [['', '--static'], /what shall the plan reach/],
    [['x', '--static', '--agent', 'a', '--agent-command', 'b'], /says alone who works/],
    [['x', '--rounds', '0'], /a number from 1 to 10/],
  ])('says what is wrong with %j', async (words, text) => {
    const { code, stderr } = await draft(...words);
    expect(code).toBe(2);
    expect(stderr).toMatch(text);
  });
});

describe('plan draft by an agent', () => {
  it('gives problems back to it, and runs what it hands in once that is approved', async () => {
    const { code, stdout, stderr } = await draft('Greet people', ...byAgent, '--yes', '--run');
    expect(code, stderr + stdout).toBe(0);
    expect(stderr).toMatch(/round 1 of 3[^]*PLAN_[A-Z_]+[^]*round 2 of 3[^]*wrote agreed.yaml/);
    expect(stderr).not.toMatch(/round 3/);
    const branch = made.git('branch', '--list', 'switchyard/agreed-*', '--format=%(refname:short)').trim();
    expect(made.git('show', `${branch}:packages/web/greeting`)).toContain('greet from web');
    // The agent could write nothing, and the checkout has only what was approved.
    expect(made.git('status', '--porcelain').trim().split('\n')).toEqual(['?? agreed.yaml', '?? mine.yaml']);
  });

  it('asks a person before it runs anything: without one, nothing is written', async () => {
    const { code, stdout, stderr } = await draft('Greet', ...byAgent, '--output', 'other.yaml', '--run');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/id: core/);
    expect(stderr).toMatch(/nothing is written/);
    expect(existsSync(inRepository('other.yaml'))).toBe(false);
  });

  it.each([
    ['stubborn', /after 2 rounds the plan still has problems/],
    ['silent', /no plan was handed in: call hand_in_plan[^]*after 2 rounds/],
    ['hostile', /E_PLAN_DRAFT: the agent did not end well/],
  ])('ends after the rounds it has with an agent that is %s', async (goal, text) => {
    const { code, stdout, stderr } = await draft(goal, ...byAgent, '--rounds', '2', '--output', 'no.yaml');
    expect(stderr).toMatch(text);
    expect(stderr).not.toMatch(/round 3/);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(existsSync(inRepository('no.yaml'))).toBe(false);
    expect(existsSync(inRepository('packages/core/stolen'))).toBe(false);
  });

  it.each([[['--agent-command', 'echo held > packages/core/stolen']], [['--model', 'claude-sonnet-4-5']]])(
    'is refused on a machine that has no sandbox, which says what there is instead',
    async (words) => {
      const { code, stdout, stderr } = await withoutBubblewrap(
        'Greet people',
        ...words,
        '--output',
        'no.yaml',
      );
      expect(stderr).toMatch(
        /E_SANDBOX_UNAVAILABLE: Commands cannot be isolated[^]*Install it: [^]*--static/,
      );
      expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
      const { code: written } = await withoutBubblewrap(
        'Greet people',
        '--static',
        '--output',
        'static.yaml',
      );
      expect(written).toBe(0);
      rmSync(inRepository('static.yaml'));
    },
  );

  it('is refused where the operator has turned the sandbox off, also to a command', async () => {
    const orchestrator = made.daemon('orchestrator', '--port', '0', '--sandbox', 'off');
    await made.orchestrator();
    const { code, stderr } = await draft('hostile', ...byAgent, '--rounds', '1', '--output', 'no.yaml');
    expect(stderr).toMatch(
      /E_PLAN_DRAFT[^]*E_SANDBOX_UNAVAILABLE: who drafts a plan may only read[^]*--static/,
    );
    expect(code).toBe(3);
    expect(existsSync(inRepository('no.yaml'))).toBe(false);
    orchestrator.child.kill('SIGTERM');
    await orchestrator.ended;
  });

  it('by an agent that nobody knows is refused as a plan that names it, before anything is started', async () => {
    const before = await runsOf();
    const { code, stdout, stderr } = await draft('Greet', '--agent', 'nope', '--output', 'no.yaml');
    expect(stderr).toMatch(/PLAN_AGENT_UNKNOWN: Task draft names the agent "nope"[^]*use one of: .*codex/);
    expect(stderr).not.toMatch(/round 1/);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(await runsOf()).toEqual(before);
  });

  describe('that is known and not installed', () => {
    const agents = (): NodeJS.ProcessEnv => {
      const file = join(made.folder, 'agents.json');
      const cli = { program: 'no-such-program', output: 'text' };
      writeFileSync(file, JSON.stringify({ absent: { title: 'Absent', install: 'absent@1.0.0', cli } }));
      return { SWITCHYARD_AGENTS: file };
    };
    const draftByAbsent = () =>
      made.start(
        process.execPath,
        [cliBin, 'plan', 'draft', 'Greet', '--agent', 'absent', '--output', 'no.yaml'],
        agents(),
      ).ended;

    it('is refused with how it is installed', async () => {
      const { code, stderr } = await draftByAbsent();
      expect(stderr).toMatch(/E_AGENT_MISSING: task draft: the program no-such-program[^]*--static/);
      expect(code).toBe(4);
    });

    it('is refused as soon as an orchestrator that runs has no worker for it, and nothing of it goes on', async () => {
      const orchestrator = made.daemon(
        'orchestrator',
        '--port',
        '0',
        '--agents',
        String(agents()['SWITCHYARD_AGENTS']),
      );
      await made.orchestrator();
      const { code, stderr } = await draftByAbsent();
      expect(stderr).toMatch(
        /E_AGENT_MISSING: no worker of the orchestrator at ws\S+ has the agent absent \(cli\)/,
      );
      expect(code).toBe(4);
      expect((await runsOf()).filter(({ phase }) => phase === 'running')).toEqual([]);
      orchestrator.child.kill('SIGTERM');
      await orchestrator.ended;
    });
  });

  it.each([
    ['one of its own', []],
    ['one that runs already', ['orchestrator']],
  ] as const)('cancels its run on ctrl-C, on %s', async (_whose, started) => {
    const others = started.map((role) => made.daemon(role, '--port', '0'));
    if (others.length > 0) await made.orchestrator();
    const before = (await runsOf()).length;
    const running = made.cli('plan', 'draft', 'Greet', '--agent-command', 'sleep 600', '--output', 'no.yaml');
    await until('a run', async () => (await runsOf()).length > before || undefined);
    running.child.kill('SIGINT');
    const { code, stderr } = await running.ended;
    expect(stderr).toMatch(/round 1 of 3: .*\nstopping; the draft is cancelled, and nothing is written\n$/);
    expect(code).toBe(130);
    expect((await runsOf()).filter(({ phase }) => phase === 'running')).toEqual([]);
    if (others.length === 0) expect(made.leftovers()).toEqual([]);
    for (const { child, ended } of others) {
      child.kill('SIGTERM');
      await ended;
    }
  });

  it('leaves no process behind', () => {
    expect(made.leftovers()).toEqual([]);
  });
});
