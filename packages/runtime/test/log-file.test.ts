import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLog } from '@switchyard/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sy-log-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const text = (name: string): string => readFileSync(join(folder, name), 'utf8');
const messages = (name: string): unknown[] =>
  text(name)
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { msg: unknown }).msg);

/** What a daemon says on standard error, which is kept from the terminal. */
function complaints(): string[] {
  const said: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => said.push(String(chunk)) > 0);
  return said;
}

/**
 * A process of its own, whose files the kernel lets grow to `limit` bytes: a disk that is full beyond (EFBIG for ENOSPC)
 * which needs no right to mount one. A process that hangs is ended, and has no status.
 */
function runDaemon(program: string) {
  const prelude = `
    import { execFileSync } from 'node:child_process';
    import { existsSync, readFileSync } from 'node:fs';
    import { openLog } from '@switchyard/runtime';
    const limit = (bytes) =>
      execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=' + bytes + ':unlimited'], { stdio: 'ignore' });
    const until = async (isSo) => { while (!isSo()) await new Promise((next) => setImmediate(next)); };
    const file = ${JSON.stringify(join(folder, 'd.1.ndjson'))};
    const written = () => (existsSync(file) ? readFileSync(file, 'utf8') : '');
    const said = [];
    process.stderr.write = (text) => said.push(text);
    const log = await openLog({ daemon: 'd', level: 'info', folder: ${JSON.stringify(folder)}, stdout: false });
    const { logger } = log;
    logger.info('first');
    await until(() => written().includes('first'));`;
  const flags = ['--import', 'tsx', '--input-type=module', '--eval', prelude + program];
  return spawnSync(process.execPath, flags, { encoding: 'utf8', timeout: 30_000, killSignal: 'SIGKILL' });
}

describe('a log file that cannot be written', () => {
  it('does not keep a process from its end, with a line under way and one behind it', () => {
    const { status, stderr } = runDaemon(`
      limit(4096);
      logger.info('y'.repeat(5000));
      setImmediate(() => {
        logger.fatal('x'.repeat(5000));
        logger.info('behind');
        process.exit(8);
      });`);
    expect([status, stderr]).toEqual([8, '']);
    expect(text('d.1.ndjson')).toHaveLength(4096);
  });

  it('has at the end of the process what was kept meanwhile, where there is room again', () => {
    const { status } = runDaemon(`
      limit(4096);
      logger.info('y'.repeat(5000));
      await until(() => said.length > 0);
      limit('unlimited');
      logger.info('last');
      process.exit(8);`);
    expect(status).toBe(8);
    expect(messages('d.1.ndjson')).toEqual(['first', 'y'.repeat(5000), 'last']);
  });

  it('ends no daemon: it says so once, keeps some lines, and goes on with the number of the others', () => {
    const { status, stdout, stderr } = runDaemon(`
      limit(4096);
      for (let line = 0; line < 12; line += 1) {
        logger.info({ line, text: 'x'.repeat(1_000_000) }, 'kept');
        await new Promise((next) => setImmediate(next));
        await until(() => said.length > 0);
      }
      limit('unlimited');
      logger.info('one more');
      await until(() => written().includes('written again'));
      logger.info('after');
      await log.close();
      console.log(JSON.stringify(said));`);
    expect([status, stderr]).toEqual([0, '']);
    const said = JSON.parse(stdout) as string[];
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(`the log ${join(folder, 'd.1.ndjson')} cannot be written: EFBIG`);
    const lines = text('d.1.ndjson')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string; line?: number; missingLines?: number });
    const kept = lines.filter(({ msg }) => msg === 'kept').map(({ line }) => line);
    const again = lines.find(({ missingLines }) => missingLines !== undefined);
    expect(kept).toEqual([...kept.keys()]);
    expect(again).toMatchObject({ level: 40, daemon: 'd', msg: 'the log file is written again' });
    const oneMore = lines.filter(({ msg }) => msg === 'one more').length;
    expect(kept.length + oneMore + (again?.missingLines ?? 0)).toBe(13);
    expect(again?.missingLines).toBeGreaterThan(1);
    expect(lines.at(-1)?.msg).toBe('after');
  });

  it('is closed all the same', () => {
    const { status, stderr } = runDaemon(`
      limit(4096);
      logger.info('y'.repeat(5000));
      await log.close();
      logger.info('after the end');
      await log.close();`);
    expect([status, stderr]).toEqual([0, '']);
  });
});

describe('a log file', () => {
  it('has at the end of the process what waits behind a write under way', () => {
    const { status } = runDaemon(`
      logger.info('under way');
      setImmediate(() => {
        logger.info('behind');
        setImmediate(() => process.exit(8));
      });`);
    expect(status).toBe(8);
    expect(messages('d.1.ndjson').toSorted()).toEqual(['behind', 'first', 'under way']);
  });

  it('is closed while it goes on to the next file', async () => {
    const log = await openLog({ daemon: 'd', level: 'info', folder, stdout: false });
    log.logger.info('x'.repeat(10 * 1_024 * 1_024));
    // One is written when the file is full, the other waits for it.
    for (const message of ['behind', 'last']) {
      await new Promise((next) => setImmediate(next));
      log.logger.info(message);
      while (!text('d.1.ndjson').endsWith('\n')) await new Promise((next) => setImmediate(next));
    }
    await log.close();
    const names = readdirSync(folder).toSorted();
    const all = names.flatMap((name) => (text(name) === '' ? [] : messages(name)));
    expect(all.slice(1)).toEqual(['behind', 'last']);
  });

  it('that ends in half a line goes on with a new one', async () => {
    writeFileSync(join(folder, 'd.1.ndjson'), '{"level":30,"ti');
    const log = await openLog({ daemon: 'd', level: 'info', folder, stdout: false });
    log.logger.info('next');
    await log.close();
    const [half, next] = text('d.1.ndjson').split('\n');
    expect(half).toBe('{"level":30,"ti');
    expect(JSON.parse(next ?? '')).toMatchObject({ msg: 'next' });
  });

  it('goes on as it is where no next one can be opened', async () => {
    const said = complaints();
    const log = await openLog({ daemon: 'd', level: 'info', folder, stdout: false });
    mkdirSync(join(folder, 'd.2.ndjson'));
    const tenMegabytes = 'x'.repeat(10 * 1_024 * 1_024);
    log.logger.info(tenMegabytes);
    await vi.waitFor(() => expect(said).toHaveLength(1));
    log.logger.info('still here');
    // The next rotation succeeds.
    log.logger.info(tenMegabytes);
    await vi.waitFor(() => expect(text('d.3.ndjson')).toBe(''));
    log.logger.info('in the next file');
    await log.close();
    expect(said[0]).toContain(`the log goes on in ${join(folder, 'd.1.ndjson')}`);
    expect(messages('d.1.ndjson')).toEqual([tenMegabytes, 'still here', tenMegabytes]);
    expect(messages('d.3.ndjson')).toEqual(['in the next file']);
    expect(said).toHaveLength(1);
  });

  it('that cannot be opened ends the start with what to do', async () => {
    mkdirSync(join(folder, 'd.1.ndjson'));
    const opening = openLog({ daemon: 'd', level: 'info', folder, stdout: false });
    await expect(opening).rejects.toMatchObject({
      code: 'E_STORAGE',
      message: expect.stringContaining('EISDIR'),
    });
  });
});
