import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { entry, run, UserCheckout } from './user-checkout.ts';

/** One git: its words, and its environment. */
interface Call {
  readonly words: readonly string[];
  readonly env: readonly string[];
}

let user: UserCheckout;
let own: Call[] = [];
let asUser: Call[] = [];

/** A whole run, from base to apply, by a git on PATH that keeps what it is told and then is git. */
beforeAll(async () => {
  user = new UserCheckout();
  user.commit({ 'a/f': 'f\n' });
  const folder = join(user.root, 'bin');
  const calls = join(user.root, 'calls');
  for (const each of [folder, calls]) mkdirSync(each);
  const git = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  const script = `#!/bin/sh\nenv > '${calls}'/$$.env\nfor word; do printf '%s\\n' "$word"; done > '${calls}'/$$.part\nmv '${calls}'/$$.part '${calls}'/$$.words\nexec ${git} "$@"\n`;
  writeFileSync(join(folder, 'git'), script, { mode: 0o755 });
  vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
  vi.stubEnv('GIT_SSH_COMMAND', 'false');
  try {
    const repository = await user.open();
    const base = await repository.resolveBase();
    await repository.createRun(run, base);
    const commit = user.attempt(repository, base, { 'a/f': 'changed\n' });
    await repository.checkAttempt({ base, commit, workspace: ['a'] });
    const entries = [entry('t', { commit, base, workspace: ['a'] })];
    const { tip } = await repository.integrate({ run, parent: base, at: 0, entries });
    await repository.moveRun(run, base, tip);
    await repository.publish(run);
    await repository.apply({ run, commit: tip, verify: () => Promise.resolve(undefined) });
  } finally {
    vi.unstubAllEnvs();
  }
  const lines = (name: string): string[] => readFileSync(join(calls, name), 'utf8').split('\n');
  const all = readdirSync(calls)
    .filter((name) => name.endsWith('.words'))
    .map((name) => ({ words: lines(name), env: lines(name.replace('.words', '.env')) }))
    .filter(({ words }) => words[0] === '--literal-pathspecs'); // the test's own hands use git, too
  own = all.filter(({ env }) => env.includes('HOME=/nonexistent'));
  asUser = all.filter(({ env }) => !env.includes('HOME=/nonexistent'));
});
afterAll(() => user.close());

const environment = [
  'GIT_TERMINAL_PROMPT=0',
  'GIT_OPTIONAL_LOCKS=0',
  'GIT_NO_REPLACE_OBJECTS=1',
  'GIT_GRAFT_FILE=/dev/null/grafts',
  'GIT_NO_LAZY_FETCH=1',
  'GIT_ALLOW_PROTOCOL=none',
  'GIT_EDITOR=false',
];
const settingsOf = ({ words }: Call): string[] =>
  words.filter((_, index) => words[index - 1] === '-c').sort();

/** Also what another defence stands behind, so that no trap alone can show it. */
describe('each git of a run is told every defence', () => {
  it('on its own', () => {
    expect(own.length).toBeGreaterThan(10);
    for (const call of own) {
      expect(settingsOf(call)).toEqual(
        expect.arrayContaining([
          'core.alternateRefsCommand=true',
          'core.askPass=false',
          'core.attributesFile=/dev/null',
          'core.excludesFile=/dev/null',
          'core.fsmonitor=false',
          'core.hooksPath=/dev/null',
          'core.pager=cat',
          'core.sshCommand=false',
          'core.untrackedCache=false',
          'credential.helper=',
          'gc.auto=0',
          'gpg.program=false',
          'maintenance.auto=false',
          'protocol.allow=never',
          'submodule.recurse=false',
        ]),
      );
      expect(call.env).toEqual(
        expect.arrayContaining([
          ...environment,
          'GIT_CONFIG_NOSYSTEM=1',
          'GIT_CONFIG_GLOBAL=/dev/null',
          'GIT_ATTR_NOSYSTEM=1',
        ]),
      );
      expect(call.env.join(' ')).not.toContain('GIT_SSH_COMMAND');
    }
  });

  it('as the user, whose filters alone it runs', () => {
    expect(asUser.length).toBeGreaterThan(2);
    for (const call of asUser) {
      expect(settingsOf(call)).toEqual(
        expect.arrayContaining([
          'core.fsmonitor=false',
          'core.hooksPath=/dev/null',
          'gc.auto=0',
          'maintenance.auto=false',
          'submodule.recurse=false',
        ]),
      );
      expect(call.env).toEqual(expect.arrayContaining(environment));
      expect(call.env.join(' ')).not.toContain('GIT_SSH_COMMAND');
    }
  });
});
