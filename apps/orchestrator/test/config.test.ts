import { limits } from '@switchyard/protocol';
import { loadConfig } from '@switchyard/runtime';
import { describe, expect, it } from 'vitest';
import { configSchema, leaseMsOf } from '../src/config.ts';

const read = (flags: Record<string, string>) => loadConfig(configSchema, { flags, env: {} });

describe('the times of a lease', () => {
  it.each([
    [{}, limits.unverifiableAfterMs],
    [{ heartbeatIntervalMs: '5000' }, 15_000],
    [{ leaseMs: '4000' }, 4_000],
    [{ leaseMs: '200', heartbeatIntervalMs: '100' }, 200],
  ] as [Record<string, string>, number][])(
    'with %j a silent worker is unverifiable after %d ms',
    (flags, expected) => {
      expect(leaseMsOf(read(flags))).toBe(expected);
    },
  );

  it('a lease of less than two heartbeats is refused, and the text says what to do', () => {
    expect(() => read({ leaseMs: '3999' })).toThrow(
      /^--lease-ms: 3999 ms is less than two heartbeats \(2000 ms each\).*raise it to 4000 or more/,
    );
    expect(() =>
      loadConfig(configSchema, {
        flags: { heartbeatIntervalMs: '9000' },
        env: { SWITCHYARD_LEASE_MS: '6000' },
      }),
    ).toThrow(/^SWITCHYARD_LEASE_MS: 6000 ms is less than two heartbeats/);
  });
});
