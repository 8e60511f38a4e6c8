import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processStart } from '@switchyard/runtime';
import pc from 'picocolors';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readEnvironment } from '@switchyard/access';
import { Supervisor } from '../src/supervisor.ts';

let folder = '';
let printed = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-up-'));
  printed = '';
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A supervisor whose daemons are small programs: the flags are the program's text and its arguments. */
function supervisor(): Supervisor {
  const write = (text: string): void => {
    printed += text;
  };
  const terminal = {
    out: write,
    err: write,
    isScreen: false,
    columns: () => 80,
    rows: () => 24,
    paint: pc.createColors(false),
  };
  const context = { terminal, environment: readEnvironment(process.env), cwd: folder, end: () => undefined };
  return new Supervisor(context, (_name, flags) => ({ program: process.execPath, args: ['-e', ...flags] }));
}
const pidsIn = (file: string): number[] =>
  existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : [];
const isThere = (pid: number): boolean => processStart(pid) !== undefined;
const patient = { timeout: 60_000, interval: 50 };

describe('the supervisor', () => {
  it('shows what children print behind their names', async () => {
    const up = supervisor();
    up.start('worker-1', 'worker', [
      `console.log(JSON.stringify({ level: 30, msg: 'ready', daemon: 'w' })); console.error('plain'); setInterval(() => {}, 1000)`,
    ]);
    await vi.waitFor(() => {
      expect(printed).toContain('info  w             ready\n');
      expect(printed).toContain('worker-1     plain\n');
    }, patient);
    await up.stop();
  });

  it('starts a child again that was killed', async () => {
    const pids = join(folder, 'pids');
    const up = supervisor();
    up.start('worker', 'worker', [
      `require('fs').appendFileSync(process.argv[1], process.pid + '\\n'); setInterval(() => {}, 1000)`,
      pids,
    ]);
    await vi.waitFor(() => expect(pidsIn(pids)).toHaveLength(1), patient);
    process.kill(pidsIn(pids)[0] ?? 0, 'SIGKILL');
    await vi.waitFor(() => expect(pidsIn(pids)).toHaveLength(2), patient);
    expect(printed).toMatch(/worker +ended \(SIGKILL\); it is started again in \d/);
    await up.stop();
    expect(pidsIn(pids).map(isThere)).toEqual([false, false]);
  });

  it('ends all, those that do not listen and what they started too', async () => {
    const pids = join(folder, 'pids');
    const stubborn = `
      process.on('SIGTERM', () => {});
      const { pid } = require('child_process').spawn('sleep', ['600'], { stdio: 'ignore' });
      require('fs').appendFileSync(process.argv[1], process.pid + '\\n' + pid + '\\n');
      setInterval(() => {}, 1000)`;
    const up = supervisor();
    up.start('orchestrator', 'orchestrator', [stubborn, pids]);
    await vi.waitFor(() => expect(pidsIn(pids)).toHaveLength(2), patient);
    await up.stop();
    await vi.waitFor(() => expect(pidsIn(pids).filter(isThere)).toEqual([]), patient);
  });

  it.each([
    ['the orchestrator was asked to end', 'orchestrator', 0],
    ['a start cannot succeed', 'worker', 4],
  ] as const)('gives up when %s', async (_, name, code) => {
    const marks = join(folder, 'marks');
    const up = supervisor();
    up.start(name, name, [
      `require('fs').appendFileSync(process.argv[1], '1\\n'); process.exit(${code})`,
      marks,
    ]);
    expect(await up.failed).toBe(code);
    await up.stop();
    expect(pidsIn(marks)).toHaveLength(1);
  });
});
