import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Observation } from '@switchyard/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const isRoot = process.getuid?.() === 0;
/** Who looks: modes do not bind root. */
const looker = isRoot ? 12_345 : (process.getuid?.() ?? 0);
let state = '';

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-access-'));
  chmodSync(folder, 0o755);
  state = join(folder, 'state');
  mkdirSync(join(state, 'peers', 'w1'), { recursive: true });
  for (const name of ['token', 'project.json', 'peers/w1/outbox'])
    writeFileSync(join(state, name), '', { mode: 0o600 });
  for (const name of ['.', ...readdirSync(state, { recursive: true, encoding: 'utf8' })])
    chownSync(join(state, name), looker, looker);
});
afterEach(() => {
  for (const path of [state, join(state, 'peers')]) chmodSync(path, 0o700);
  rmSync(join(state, '..'), { recursive: true, force: true });
});

/** What is wrong as the checks of doctor find it, in a process of the looker. */
function wrongFound(): Observation[] {
  const script = `
    import '@switchyard/history';
    import '@switchyard/store';
    import { layOutStateFolder } from '@switchyard/runtime';
    import { stateChecks } from '../src/state-checks.ts';
    if (${isRoot}) {
      process.setgroups([]);
      process.setgid(${looker});
      process.setuid(${looker});
    }
    console.log(JSON.stringify(await stateChecks(layOutStateFolder(process.argv[1]), false)));`;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script, state];
  const ended = spawnSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8' });
  expect({ status: ended.status, stderr: ended.stderr }).toEqual({ status: 0, stderr: '' });
  return (JSON.parse(ended.stdout) as Observation[]).filter((one) => one.state === 'wrong');
}

describe('a state folder that is closed', () => {
  it('to its own owner is found, with the mode that closes it', () => {
    chmodSync(join(state, 'peers'), 0);
    expect(wrongFound()).toEqual([
      {
        name: 'outboxes',
        state: 'wrong',
        code: 'E_STORAGE',
        text: `${join(state, 'peers')} is closed to you, whose it is: the mode of ${join(state, 'peers')} is 000`,
        mend: `chmod -R u+rwX ${join(state, 'peers')}`,
      },
    ]);
  });

  it.runIf(isRoot)('because it is of another user is found, with whose it is and how to mend it', () => {
    chownSync(state, 0, 0);
    chmodSync(state, 0o700);
    expect(wrongFound()).toEqual([
      {
        name: 'state',
        state: 'wrong',
        code: 'E_STATE_FOREIGN',
        text: `${state} is closed to you (user ${looker}): ${state} belongs to user 0, with mode 700`,
        mend: `\`sudo chown -R ${looker} ${state}\` gives it to you; or run this as user 0`,
      },
    ]);
  });

  it.runIf(isRoot)('by a folder above it is found, and nobody is told to take that folder', () => {
    chmodSync(join(state, '..'), 0o700);
    expect(wrongFound()).toEqual([
      {
        name: 'state',
        state: 'wrong',
        code: 'E_STORAGE',
        text: expect.stringMatching(/EACCES.*stat/),
        mend: 'name a folder of your own with --state, or with SWITCHYARD_STATE',
      },
    ]);
  });

  it.runIf(isRoot)('in parts that another user made is looked at in all others', () => {
    const closed = [join(state, 'peers', 'w1'), join(state, 'project.json')];
    for (const path of closed) {
      chownSync(path, 0, 0);
      chmodSync(path, 0o700);
    }
    writeFileSync(join(state, 'tokens.json'), '', { mode: 0o644 });
    const found = wrongFound();
    expect(found.map(({ name, code }) => [name, code])).toEqual([
      ['state', 'E_STATE_FOREIGN'],
      ['secrets', 'E_STORAGE'],
      ['outbox w1', 'E_STATE_FOREIGN'],
    ]);
    expect(found[2]?.text).toContain(`${closed[0]} belongs to user 0`);
  });
});
