import { spawnSync } from 'node:child_process';
import type { ReceiptCommand, ReceiptSandbox } from '@switchyard/receipts';

/** Runs commands free, for tests on trusted lines; remembers what was asked. */
export function plainSandbox(
  tier: ReceiptSandbox['tier'] = 'none',
): ReceiptSandbox & { commands: ReceiptCommand[] } {
  const commands: ReceiptCommand[] = [];
  return {
    tier,
    commands,
    run(command) {
      commands.push(command);
      const [program = '', ...rest] = command.argv;
      const env = { PATH: process.env['PATH'], ...command.env };
      const started = performance.now();
      const result = spawnSync(program, rest, {
        cwd: command.cwd,
        env,
        encoding: 'utf8',
        timeout: command.timeoutMs,
      });
      const isTimedOut = result.signal === 'SIGTERM';
      return Promise.resolve({
        exitCode: result.status ?? 124,
        ended: isTimedOut ? 'timed-out' : 'exited',
        output: result.stdout + result.stderr,
        truncated: false,
        durationMs: performance.now() - started,
      });
    },
  };
}
