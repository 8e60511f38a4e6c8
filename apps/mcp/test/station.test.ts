import { readEnvironment } from '@switchyard/access';
import { AppError, type ErrorCode } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';
import { Station } from '../src/station.ts';

/** The way to an orchestrator that fails the first questions with this. */
class EndingStation extends Station {
  asked = 0;
  readonly code: ErrorCode;
  readonly failures: number;

  constructor(code: ErrorCode, failures: number, ...flags: string[]) {
    super(readConfig(flags, readEnvironment({}), '/'), () => undefined);
    this.code = code;
    this.failures = failures;
  }

  override ask<Result>(): Promise<Result> {
    this.asked += 1;
    if (this.asked <= this.failures) return Promise.reject(new AppError(this.code, 'it was ended'));
    return Promise.resolve('read' as Result);
  }
}

const read = (station: EndingStation): Promise<string> => station.look(() => Promise.resolve('never'));

describe('looking', () => {
  it('begins anew where the orchestrator ends meanwhile', async () => {
    await expect(read(new EndingStation('E_UNREACHABLE', 2))).resolves.toBe('read');
  });

  it('fails with what it was told where it stays so', async () => {
    const station = new EndingStation('E_UNREACHABLE', 9);
    await expect(read(station)).rejects.toThrow('it was ended');
    expect(station.asked).toBe(3);
  });

  it.each([
    ['of another error', 'E_RUN_UNKNOWN', []],
    ['of an orchestrator elsewhere', 'E_UNREACHABLE', ['--hub', 'wss://hub.example:7420']],
  ] as const)('does not, %s', async (_what, code, flags) => {
    const station = new EndingStation(code, 1, ...flags);
    await expect(read(station)).rejects.toThrow('it was ended');
    expect(station.asked).toBe(1);
  });
});
