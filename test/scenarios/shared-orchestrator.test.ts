import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { Scenario, until } from './harness.ts';

/** A run that works on nothing: it waits for a person, and ends when one answers. */
const gated = (name: string): string =>
  `version: 1\nname: ${name}\ntasks:\n  - { id: ask, kind: manual, instructions: Shall it? }\n`;
const worked = `version: 1
name: worked
defaults: { review: { mode: never } }
tasks:
  - { id: w, workspace: w, executor: { kind: command, run: ['echo x > w/x'] } }
`;

const scenarios: Scenario[] = [];
function scenario(): Scenario {
  const made = new Scenario({
    'readme.txt': 'a repository\n',
    'a.yaml': gated('a'),
    'b.yaml': gated('b'),
    'worked.yaml': worked,
  });
  scenarios.push(made);
  return made;
}
afterEach(async () => {
  await Promise.all(scenarios.splice(0).map((made) => made.close()));
});

const runNamed = (output: string): string | undefined => /^run (\S+): /m.exec(output)?.[1];

async function phaseOf(made: Scenario, run: string): Promise<string> {
  const { code, stdout, stderr } = await made.cli('run', 'show', run, '--json').ended;
  expect([code, stderr]).toEqual([0, '']);
  return (JSON.parse(stdout) as { phase: string }).phase;
}

describe('an orchestrator that one command has started', () => {
  it('goes on for the others that use it when that command is ended by ctrl-C, and ends behind them', async () => {
    const made = scenario();
    const first = made.cli('run', 'a.yaml');
    const a = await until('the first run', () => runNamed(first.output()));
    const second = made.cli('run', 'b.yaml');
    const b = await until('the second run', () => runNamed(second.output()));
    expect(second.output()).toContain(', on the orchestrator at ');
    first.child.kill('SIGINT');
    const { code, stderr } = await first.ended;
    expect([code, stderr]).toEqual([
      130,
      expect.stringContaining(`detached; run ${a} goes on, since others use its orchestrator as well.`),
    ]);
    expect((await made.cli('gate', 'approve', b, 'ask').ended).code).toBe(0);
    expect((await second.ended).code).toBe(0);
    expect((await made.cli('gate', 'approve', a, 'ask').ended).code).toBe(0);
    expect(await phaseOf(made, a)).toBe('completed');
    await until('its end', () => made.leftovers().length === 0 || undefined);
  });

  it('ends with the runs that others have left on it, and says which those are and how they go on', async () => {
    const made = scenario();
    const first = made.cli('run', 'a.yaml');
    await until('the first run', () => runNamed(first.output()));
    const second = await made.cli('run', 'b.yaml', '--detach').ended;
    const b = runNamed(second.stdout + second.stderr) ?? '';
    first.child.kill('SIGINT');
    const { code, stderr } = await first.ended;
    expect([code, stderr]).toEqual([
      130,
      expect.stringContaining(`to go on with it: switchyard resume ${b}\n`),
    ]);
    expect(b).not.toBe('');
  });

  it('to look is waited for by who wants work done, who says so; it waits for no run itself', async () => {
    const made = scenario();
    const looking = ['--ephemeral', 'true', '--looking', 'true', '--workers-max', '0', '--port', '0'];
    const look = made.daemon('orchestrator', ...looking);
    await made.orchestrator();
    const run = made.cli('run', 'worked.yaml');
    const waits = /waiting for process \d+, the orchestrator that another command has started for itself/;
    await until('the wait', () => waits.test(run.output()) || undefined);
    // Others may look meanwhile; it ends behind the last of them.
    expect((await made.cli('usage').ended).code).toBe(0);
    await look.ended;
    expect(await run.ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 of 1 tasks') as string,
    });
  });

  it('is not held by a question whose answer a file awaits', async () => {
    const made = scenario();
    const left = made.cli('run', 'a.yaml');
    const a = await until('the run', () => runNamed(left.output()));
    left.child.kill('SIGINT');
    await left.ended;
    const asked = made.cli('gate', 'ask', a, 'ask', 'reply.md', '--wait');
    await until('the question', () => asked.output().includes('answer it in reply.md') || undefined);
    expect((await made.cli('run', 'worked.yaml').ended).code).toBe(0);
    const reply = `${made.repository}/reply.md`;
    writeFileSync(reply, readFileSync(reply, 'utf8').replace('- [ ] approve', '- [x] approve'));
    expect(await asked.ended).toMatchObject({ code: 0, stdout: 'approved ask by reply.md\n' });
    expect(await phaseOf(made, a)).toBe('completed');
  });
});
