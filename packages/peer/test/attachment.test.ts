import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attach, peerConfigShape, startOn, type PeerConfig } from '@switchyard/peer';
import { AppError } from '@switchyard/protocol';
import { processStart } from '@switchyard/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

let root = '';
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'switchyard-attach-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

const configOf = (more: Record<string, unknown> = {}): PeerConfig => ({
  ...z.object(peerConfigShape).parse({ logStdout: false, logLevel: 'info', ...more }),
  token: undefined,
  searchPath: undefined,
  env: { SWITCHYARD_STATE: join(root, 'state') },
});
const discover = (): Promise<{ gitCommonDir: string }> => {
  const gitCommonDir = join(root, 'project', '.git');
  mkdirSync(gitCommonDir, { recursive: true });
  return Promise.resolve({ gitCommonDir });
};
const role = 'reviewer' as const;
const deadPid = 2 ** 22 + 1;

describe('a daemon of this machine', () => {
  it('takes the next free name of the repository, waits for its orchestrator, and gives the name back', async () => {
    const first = await attach(configOf(), { role, discover });
    const second = await attach(configOf(), { role, discover });
    expect([first.folder.peer, second.folder.peer]).toEqual(['reviewer-1', 'reviewer-2']);
    expect(first.state.root).toContain(join(root, 'state', 'repositories', 'project-'));
    expect(() => first.locate()).toThrow(expect.objectContaining({ code: 'E_UNREACHABLE' }));
    expect(() => first.token()).toThrow(expect.objectContaining({ code: 'E_UNREACHABLE' }));
    const announce = (pid: number, startedTicks = processStart(pid)): void => {
      const place = { url: 'ws://127.0.0.1:1/hub', httpUrl: 'http://127.0.0.1:1' };
      writeFileSync(first.state.orchestratorFile, JSON.stringify({ pid, startedTicks, ...place }));
    };
    writeFileSync(first.state.tokenFile, 'operator\n');
    // One that was killed: what answers there now may be anybody, by its number as well.
    announce(deadPid, 1);
    expect(() => first.locate()).toThrow(expect.objectContaining({ code: 'E_UNREACHABLE' }));
    announce(process.pid, 1);
    expect(() => first.locate()).toThrow(expect.objectContaining({ code: 'E_UNREACHABLE' }));
    announce(process.pid);
    expect([first.locate().httpUrl, first.token()]).toEqual(['http://127.0.0.1:1', 'operator']);
    await first.shutdown.run('the test');
    const third = await attach(configOf(), { role, discover });
    expect(third.folder.peer).toBe('reviewer-1');
    for (const one of [second, third]) await one.shutdown.run('the test');
    expect(readdirSync(first.state.logs).join()).toContain('reviewer-1');
  });

  it('ends as its ports ask, and closes what it opened when it does not start', async () => {
    const attachment = await attach(configOf(), { role, discover });
    const running = await startOn(attachment, () => Promise.resolve({ relayLog: () => undefined }));
    const refused = new AppError('E_TOKEN', 'used up');
    attachment.ends.fatal(refused);
    expect(await running.ended).toBe(refused);
    await running.shutdown.run('the test');

    const other = await attach(configOf(), { role, discover });
    const lock = join(other.state.peers, 'reviewer-1', 'lock');
    expect(existsSync(lock)).toBe(true);
    const failing = startOn(other, () => Promise.reject(new AppError('E_SANDBOX_UNAVAILABLE', 'no bwrap')));
    await expect(failing).rejects.toThrow('no bwrap');
    expect(existsSync(lock)).toBe(false);
  });
});

describe('a state folder that cannot be written', () => {
  it.for([
    ['full', 'E_DISK_FULL', 'make room there', 'remount,rw'],
    ['read-only', 'E_STORAGE', 'make it writable', 'remount,ro'],
  ] as const)('%s, is named, with what to do', async ([, code, mend, remount], context) => {
    const first = await attach(configOf(), { role, discover });
    const { peers, root: state } = first.state;
    await first.shutdown.run('the test');
    // Room for the folder itself and for no other file.
    const options = ['-t', 'tmpfs', '-o', 'nr_inodes=1', 'tmpfs', peers];
    if (spawnSync('mount', options).status !== 0) return context.skip();
    try {
      spawnSync('mount', ['-o', remount, peers]);
      const refused = await attach(configOf(), { role, discover }).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code, message: expect.stringContaining(mend) as string });
      expect(String(refused)).toContain(`the state folder ${state} cannot be written`);
    } finally {
      spawnSync('umount', ['-l', peers]);
    }
  });
});

describe('a daemon of another machine', () => {
  it('has a state folder and a name of its own', async () => {
    const nowhere = () => Promise.reject(new AppError('E_NOT_A_REPOSITORY', 'no repository'));
    const config = configOf({ hub: 'wss://hub.example:7420/hub', fingerprint: 'sha256:AA' });
    const attachment = await attach(config, { role, discover: nowhere });
    expect(attachment.state.root).toBe(join(root, 'state', 'remote', 'hub.example-7420'));
    expect(attachment.folder.peer).toMatch(/^reviewer-.+-[a-z2-7]{5}-1$/);
    expect(attachment.locate()).toMatchObject({
      httpUrl: 'https://hub.example:7420',
      fingerprint: 'sha256:AA',
    });
    expect(() => attachment.token()).toThrow(expect.objectContaining({ code: 'E_TOKEN' }));
    await attachment.shutdown.run('the test');
  });

  it('says which token file cannot be read, and takes nothing', async () => {
    const config = configOf({ tokenFile: join(root, 'none') });
    await expect(attach(config, { role, discover })).rejects.toThrow(/--token-file/);
    expect(existsSync(join(root, 'state'))).toBe(false);
  });
});
