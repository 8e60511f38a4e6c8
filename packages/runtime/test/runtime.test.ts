import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@switchyard/protocol';
import {
  acquireLock,
  asksForHelp,
  backoffMs,
  flagsHelp,
  loadConfig,
  makeFolder,
  makeFolderSync,
  openLog,
  openStateFolder,
  readFlags,
  repositoryStateRoot,
  requireOwner,
  Shutdown,
  silentLogger,
  stateRoot,
  systemRandom,
} from '@switchyard/runtime';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { asOrdinaryUser } from './ordinary-user.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sy-runtime-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('configuration', () => {
  const schema = z.object({
    leaseGraceMs: z.coerce.number().int().min(1).default(5),
    host: z.string().default('here'),
  });

  it('prefers flag to environment to file to default', () => {
    const file = join(folder, 'switchyard.json');
    writeFileSync(file, '{"leaseGraceMs": 3, "host": "file"}');
    const all = {
      flags: { leaseGraceMs: '1' },
      env: { SWITCHYARD_LEASE_GRACE_MS: '2', SWITCHYARD_HOST: 'env' },
      file,
    };
    expect(loadConfig(schema, all)).toEqual({ leaseGraceMs: 1, host: 'env' });
    expect(loadConfig(schema, { flags: {}, env: {}, file })).toEqual({ leaseGraceMs: 3, host: 'file' });
    expect(loadConfig(schema, { flags: {}, env: {} })).toEqual({ leaseGraceMs: 5, host: 'here' });
  });

  it('names every wrong value and where it came from, all at once', () => {
    const load = () => loadConfig(schema, { flags: { host: 7 }, env: { SWITCHYARD_LEASE_GRACE_MS: 'soon' } });
    expect(load).toThrow(/SWITCHYARD_LEASE_GRACE_MS: .*\n--host: /s);
  });

  it('says what is wrong with a file that is no JSON object', () => {
    const file = join(folder, 'switchyard.json');
    writeFileSync(file, '[1]');
    expect(() => loadConfig(schema, { flags: {}, env: {}, file })).toThrow(/must hold a JSON object/);
  });

  it('reads flags by the names of the keys, and refuses others with the list', () => {
    expect(readFlags(['--lease-grace-ms', '9', '--host=there'], schema)).toEqual({
      leaseGraceMs: '9',
      host: 'there',
    });
    expect(() => readFlags(['--hots', 'x'], schema)).toThrow(
      /"--hots" is no flag; there are: --lease-grace-ms, --host/,
    );
  });

  it('explains flags by the descriptions of the keys', () => {
    const described = z.object({
      slots: z.coerce.number().default(2).describe('how many at once'),
      hub: z.string().optional().describe('where'),
    });
    expect(flagsHelp('thing [flags]', described)).toContain(
      'Usage: thing [flags]\n\nFlags:\n  --slots  how many at once (default: 2)\n  --hub    where\n',
    );
    expect([asksForHelp(['--slots', '1', '--help']), asksForHelp(['--slots'])]).toEqual([true, false]);
  });
});

describe('lock files', () => {
  it('are held once, name their holder, and are free again after release', () => {
    const file = join(folder, 'lock');
    const first = acquireLock(file);
    expect(first.kind).toBe('held');
    expect(acquireLock(file)).toMatchObject({ kind: 'taken', holder: { pid: process.pid } });
    if (first.kind === 'held') first.release();
    expect(acquireLock(file).kind).toBe('held');
  });

  it('of a process that is gone, or whose number was given to another, are taken over', () => {
    const gone = spawnSync(process.execPath, ['-e', 'console.log(process.pid)'], {
      encoding: 'utf8',
    }).stdout.trim();
    const file = join(folder, 'lock');
    writeFileSync(file, JSON.stringify({ pid: Number(gone), startedTicks: 1 }));
    expect(acquireLock(file).kind).toBe('held');
    writeFileSync(file, JSON.stringify({ pid: process.pid, startedTicks: 1 }));
    expect(acquireLock(file).kind).toBe('held');
  });

  it('leave nothing else behind', () => {
    acquireLock(join(folder, 'lock'));
    acquireLock(join(folder, 'lock'));
    expect(readdirSync(folder)).toEqual(['lock']);
  });

  it('leave nothing behind on a full disk either', (context) => {
    const options = ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', folder];
    if (spawnSync('mount', options).status !== 0) return context.skip();
    try {
      writeFileSync(join(folder, 'full'), 'x'.repeat(4096));
      expect(() => acquireLock(join(folder, 'lock'))).toThrow(/ENOSPC/);
      expect(readdirSync(folder)).toEqual(['full']);
      rmSync(join(folder, 'full'));
      expect(acquireLock(join(folder, 'lock')).kind).toBe('held');
    } finally {
      spawnSync('umount', ['-l', folder]);
    }
  });
});

describe('the state folder', () => {
  it('is where the environment says, and only its owner reads it', () => {
    expect(stateRoot({ SWITCHYARD_STATE: '/a', XDG_STATE_HOME: '/b' })).toBe('/a');
    expect(stateRoot({ XDG_STATE_HOME: '/b' })).toBe('/b/switchyard');
    const opened = openStateFolder(join(folder, 'state'));
    expect(statSync(opened.root).mode & 0o077).toBe(0);
  });

  it('differs for two repositories of the same name', () => {
    const roots = ['one', 'two'].map((name) => {
      spawnSync('mkdir', ['-p', join(folder, name, 'repo', '.git')]);
      return repositoryStateRoot('/state', join(folder, name, 'repo', '.git'));
    });
    expect(roots[0]).toMatch(/\/repositories\/repo-[0-9a-f]{12}$/);
    expect(roots[0]).not.toBe(roots[1]);
  });

  it('of another user is refused', () => {
    if (process.getuid?.() !== 0) return expect(() => openStateFolder('/proc/1/state')).toThrow(AppError);
    const root = join(folder, 'foreign');
    spawnSync('install', ['-d', '-o', '12345', root]);
    return expect(() => openStateFolder(root)).toThrow(/belongs to user 12345/);
  });

  it('that one may not even look for says what may not be read, and what to do', async () => {
    chmodSync(folder, 0o755);
    const home = join(folder, 'home');
    mkdirSync(home);
    chmodSync(home, 0);
    const root = join(home, 'state');
    await asOrdinaryUser(() => {
      expect(() => requireOwner(root)).toThrow(
        expect.objectContaining({
          code: 'E_STORAGE',
          exitCode: 8,
          message: expect.stringMatching(
            new RegExp(`^the state folder ${root} cannot be looked at: EACCES.*; set SWITCHYARD_STATE`),
          ) as string,
        }) as Error,
      );
    });
    chmodSync(home, 0o700);
  });
});

describe('making a folder', () => {
  const refusals = async (place: string): Promise<unknown[]> => {
    const codes: unknown[] = [];
    const told = (error: unknown): unknown => codes.push((error as NodeJS.ErrnoException).code);
    await makeFolder(join(place, 'a/b')).catch(told);
    try {
      makeFolderSync(join(place, 'a/b'));
    } catch (error) {
      told(error);
    }
    return codes;
  };

  it('makes those above it, and is content with what is there', async () => {
    await makeFolder(join(folder, 'a/b'), 0o700);
    await makeFolder(join(folder, 'a/b'));
    makeFolderSync(join(folder, 'c/d'), 0o700);
    makeFolderSync(join(folder, 'c/d'));
    for (const path of ['a/b', 'c/d']) expect(statSync(join(folder, path)).mode & 0o777).toBe(0o700);
  });

  it('is refused where a file stands on the way', async () => {
    writeFileSync(join(folder, 'a'), '');
    expect(await refusals(folder)).toEqual(['ENOTDIR', 'ENOTDIR']);
  });

  it('on a full or read-only disk says so', async (context) => {
    // Room for the folder itself and for no other file.
    const options = ['-t', 'tmpfs', '-o', 'nr_inodes=1', 'tmpfs', folder];
    if (spawnSync('mount', options).status !== 0) return context.skip();
    try {
      expect(await refusals(folder)).toEqual(['ENOSPC', 'ENOSPC']);
      spawnSync('mount', ['-o', 'remount,ro', folder]);
      expect(await refusals(folder)).toEqual(['EROFS', 'EROFS']);
    } finally {
      spawnSync('umount', ['-l', folder]);
    }
  });
});

describe('backoff', () => {
  it('stays between its bounds for any number of tries', () => {
    fc.assert(
      fc.property(
        fc.nat(100),
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1000, max: 60_000 }),
        (tries, minMs, maxMs) => {
          const waited = backoffMs(tries, { minMs, maxMs }, systemRandom);
          return waited >= minMs && waited <= Math.min(maxMs, minMs * 2 ** tries) + 1;
        },
      ),
    );
  });
});

describe('shutdown', () => {
  it('runs its steps last first, once, and goes on after one that fails', async () => {
    const order: string[] = [];
    const shutdown = new Shutdown(silentLogger(), 1_000);
    shutdown.add('first', () => void order.push('first'));
    shutdown.add('broken', () => {
      order.push('broken');
      throw new Error('broken');
    });
    shutdown.add('last', () => void order.push('last'));
    await Promise.all([shutdown.run('test'), shutdown.run('again')]);
    expect(order).toEqual(['last', 'broken', 'first']);
    expect(shutdown.signal.aborted).toBe(true);
  });

  it('does not wait for ever for a step that hangs', async () => {
    const shutdown = new Shutdown(silentLogger(), 50);
    shutdown.add('hangs', () => new Promise(() => undefined));
    await shutdown.run('test');
  });
});

describe('logs', () => {
  it('hide what is secret two objects deep, in errors and in what a child adds, and change no object', async () => {
    const log = await openLog({ daemon: 'worker-1', level: 'info', folder, stdout: false });
    const password = 'hunter2';
    const fields = { to: { headers: { authorization: password } }, kept: { a: 1 }, list: ['x'] };
    const error = Object.assign(new Error('refused'), { password, request: { apiKey: password } });
    log.logger.info(fields, 'nested');
    log.logger.warn({ err: error, secret: password }, 'failed');
    log.logger.error(error);
    log.logger
      .child({ run: 'r' })
      .child({ token: password, in: { secret: password } })
      .info({ err: 'only text' }, 'child');
    await log.close();
    const text = readFileSync(join(folder, 'worker-1.1.ndjson'), 'utf8');
    expect(text).not.toContain(password);
    const lines = text.trim().split('\n');
    const [nested, failed, alone, child] = lines.map((line) => JSON.parse(line) as unknown);
    expect(nested).toMatchObject({
      kept: { a: 1 },
      list: ['x'],
      to: { headers: { authorization: '[Redacted]' } },
    });
    const shown = { type: 'Error', message: 'refused', stack: expect.stringContaining('refused') as unknown };
    expect(failed).toMatchObject({ err: { ...shown, password: '[Redacted]' }, secret: '[Redacted]' });
    expect(alone).toMatchObject({ err: shown });
    expect(child).toMatchObject({ run: 'r', token: '[Redacted]', err: 'only text' });
    expect(fields.to.headers.authorization).toBe(password);
    expect(error.request.apiKey).toBe(password);
  });

  it('has every line of a process that exits in the turn in which it logs', () => {
    const program = `
      import { openLog } from '@switchyard/runtime';
      const log = await openLog({ daemon: 'd', level: 'info', folder: ${JSON.stringify(folder)}, stdout: true });
      for (let line = 1; line <= 3; line += 1) log.logger.info({ line }, 'before the end');
      process.exit(3);`;
    const { status, stdout } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', program],
      { encoding: 'utf8' },
    );
    expect(status).toBe(3);
    const written = readFileSync(join(folder, 'd.1.ndjson'), 'utf8');
    expect(written.match(/before the end/g)).toHaveLength(3);
    expect(stdout).toBe(written);
  });

  it('are JSON lines with the daemon in each, and hold no token', async () => {
    const log = await openLog({ daemon: 'worker-1', level: 'info', folder, stdout: false });
    log.logger.info({ token: 'hunter2', headers: { authorization: 'Bearer hunter2' }, task: 'a' }, 'hello');
    log.logger.debug('not shown');
    await log.close();
    const [name = ''] = readdirSync(folder);
    expect(name).toBe('worker-1.1.ndjson');
    const lines = readFileSync(join(folder, name), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('hunter2');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      daemon: 'worker-1',
      task: 'a',
      msg: 'hello',
      level: 30,
    });
  });
});
