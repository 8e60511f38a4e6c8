import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endDaemonsOf, removeAll } from '../../tools/setup/throw-away.mjs';

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'sy-throw-')));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** A process that says one line when it is ready, and whose command line is a daemon's. */
async function daemonOf(state: string, script: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', `${script}; console.log('ready')`, '--', '--state', state], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  if (child.stdout !== null) await once(child.stdout, 'data');
  return child;
}

/** Fills folder after folder until it is ended, as the build of a layer does. */
const writer = (tree: string): string =>
  `let n = 0; setInterval(() => { for (let i = 0; i < 50; i += 1) {
    const at = ${JSON.stringify(tree)} + '/' + (n++ % 40);
    try { fs.mkdirSync(at, { recursive: true }); fs.writeFileSync(at + '/' + n, ''); } catch {} } })`;

describe('throwing a folder away', () => {
  it('ends the daemon that still writes there, and waits until it has gone', async () => {
    const tree = join(folder, 'state', 'tree');
    const daemon = await daemonOf(join(folder, 'state'), writer(tree));
    // A name that only begins alike is another folder.
    const other = await daemonOf(`${folder}-other/state`, 'setInterval(() => undefined, 1_000)');
    expect(await endDaemonsOf(folder)).toBe(true);
    expect(daemon.signalCode ?? (await once(daemon, 'exit'))[1]).toBe('SIGTERM');
    expect(await removeAll([folder])).toBeUndefined();
    expect(existsSync(folder)).toBe(false);
    expect([other.exitCode, other.signalCode]).toEqual([null, null]);
  });

  it('kills the one that does not end in time', async () => {
    const stubborn = `process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1_000)`;
    const daemon = await daemonOf(join(folder, 'state'), stubborn);
    expect(await endDaemonsOf(folder, { askedMs: 50, killedMs: 60_000 })).toBe(true);
    expect(daemon.signalCode ?? (await once(daemon, 'exit'))[1]).toBe('SIGKILL');
  });

  it('says in one line what it could not remove', async () => {
    mkdirSync(join(folder, 'a'));
    writeFileSync(join(folder, 'a', 'file'), '');
    expect(await removeAll([join(folder, 'a', 'file', 'below')])).toMatch(
      /^could not remove \S+below \(ENOTDIR\); remove it by hand$/,
    );
  });
});
