import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Scenario, until } from './harness.ts';

const made = new Scenario({
  'readme.txt': 'a repository\n',
  'plan.yaml': `version: 1
name: live
defaults: { retries: 0, review: { mode: never } }
tasks:
  - id: one
    instructions: one
    workspace: one
    executor: { kind: command, run: ["mkdir -p one; ln -s /etc one/out; mkfifo one/pipe; until [ -e one/go ]; do sleep 0.1; done"] }
`,
});
afterAll(() => made.close(), 60_000);

describe('what an attempt does that is not its to do', () => {
  it('is an event of the run while it works, and then its end', async () => {
    const running = made.cli('run', 'plan.yaml');
    await until('the violations as events', () =>
      /one +touches what is not its to change: .*out \(symlink-escape\)/.test(running.output())
        ? true
        : undefined,
    );
    expect(running.output()).not.toContain('E_WORKSPACE_VIOLATION');
    writeFileSync(join(treeOf('one'), 'one', 'go'), '');
    const { code, stdout, stderr } = await running.ended;
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(
      /✖ one +failed .*E_WORKSPACE_VIOLATION: .*one\/out \(symlink-escape\), one\/pipe \(special-file\)/,
    );
    const { stdout: events } = await made.cli('logs', '--json').ended;
    expect(events).toContain('an attempt touches what is not its to change');
  });
});

/** The tree of the only attempt, in the state folder. */
function treeOf(workspace: string): string {
  const found = readdirSync(made.state, { recursive: true, encoding: 'utf8' }).find((path) =>
    path.endsWith(join('tree', workspace)),
  );
  if (found === undefined) throw new Error('no attempt has a tree');
  return join(made.state, found, '..');
}
