import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scenario } from './harness.ts';

/** What a task does to everything that some git might run later: its own git, one inside, a bare one, attributes. */
const settings = (canary: string): string =>
  [
    '[core]\n\tfsmonitor = "CANARY"\n\tsshCommand = "CANARY"\n\tpager = "CANARY"\n\talternateRefsCommand = "CANARY"',
    '[filter "evil"]\n\tclean = "CANARY"\n\tsmudge = "CANARY"',
    '[merge "evil"]\n\tdriver = "CANARY"',
    '[diff "evil"]\n\tcommand = "CANARY"\n\ttextconv = "CANARY"',
    '[uploadpack]\n\tpackObjectsHook = "CANARY"',
    '[alias]\n\trev-parse = "!CANARY"',
  ]
    .join('\n')
    .replaceAll('CANARY', canary)
    .concat('\n');

const hooks = [
  'post-checkout',
  'post-index-change',
  'pre-commit',
  'reference-transaction',
  'update',
  'pre-receive',
];

const plan = `version: 1
name: hostile
defaults: { retries: 0, review: { mode: never } }
tasks:
  - id: plants
    instructions: Plant traps in its own git and in the attributes
    workspace: good
    executor:
      kind: command
      run:
        - 'mkdir -p good .git/hooks; cat traps/settings >> .git/config; for h in ${hooks.join(' ')}; do cp traps/hook .git/hooks/$h; done'
        - 'printf "* filter=evil diff=evil merge=evil text\\n" > good/.gitattributes; echo new > good/file; echo dash > good/-n; git status >/dev/null 2>&1; true'
    acceptance: [{ run: 'test -f good/file && test ! -e .git' }]
  - id: bare
    instructions: Leave a bare repository
    workspace: bare
    executor: { kind: command, run: ['git init -q --bare bare/inner && cat traps/settings >> bare/inner/config && echo x > bare/inner/refs/keep && echo x > bare/inner/objects/keep'] }
verify: { run: ['test -f good/file'], when: end }
`;

let made: Scenario;
let canaries = '';
beforeAll(() => {
  made = new Scenario({
    'readme.txt': 'a repository\n',
    'plan.yaml': plan,
    '.gitattributes': '* filter=evil\n',
  });
  canaries = join(made.folder, 'canaries');
  mkdirSync(canaries);
  const git = join(made.repository, '.git');
  const canary = join(made.folder, 'canary.sh');
  const hook = `#!/bin/sh\n: > ${canaries}/$(basename "$0")-$$\n`;
  writeFileSync(canary, hook, { mode: 0o755 });
  made.write({ 'traps/settings': settings(canary), 'traps/hook': hook });
  made.commit('traps');
  // From here on plain git would walk into them; the filters are the user's own to choose.
  appendFileSync(join(git, 'config'), settings(canary).replace(/\[filter[^[]*/, ''));
  for (const name of hooks) writeFileSync(join(git, 'hooks', name), hook, { mode: 0o755 });
});
afterAll(() => made.close(), 60_000);

describe('a hostile repository and hostile tasks', () => {
  it('go through a whole run and apply, and no trap is sprung', async () => {
    const { code, stdout, stderr } = await made.cli('run', 'plan.yaml').ended;
    const said = stdout + stderr;
    expect(code, said).toBe(1);
    expect(said).toMatch(/✔ plants +completed/);
    expect(said).toMatch(/✖ bare +failed .*E_WORKSPACE_VIOLATION: .*bare\/inner \(git-dir\)/);
    expect(readdirSync(canaries)).toEqual([]);
    const run = /^run (hostile-\w+)/m.exec(stdout)?.[1] ?? '';
    const applied = await made.cli('apply', run).ended;
    expect(applied.code, applied.stdout + applied.stderr).toBe(0);
    expect(readFileSync(join(made.repository, 'good/-n'), 'utf8')).toBe('dash\n');
    expect(existsSync(join(made.repository, 'bare'))).toBe(false);
    expect(readdirSync(canaries)).toEqual([]);
  });

  it('are traps: plain git walks into one', async () => {
    await made.start('git', ['status']).ended;
    expect(readdirSync(canaries).length).toBeGreaterThan(0);
  });
});
