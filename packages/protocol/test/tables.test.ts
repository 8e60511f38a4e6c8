import { describe, expect, it } from 'vitest';
import {
  AppError,
  closeCodes,
  errorTable,
  exitCodes,
  failureLine,
  isMessageType,
  limits,
  mayReconnect,
  registry,
  roles,
  specOf,
  type ErrorCode,
  type MessageSpec,
} from '@switchyard/protocol';

const specs: [string, MessageSpec][] = Object.entries(registry);

describe('the message table', () => {
  it.each(specs)('%s has a sender, a receiver and answers that exist', (_type, spec) => {
    expect(spec.from.length).toBeGreaterThan(0);
    expect(spec.to.length).toBeGreaterThan(0);
    for (const role of [...spec.from, ...spec.to]) expect(roles).toContain(role);
    for (const answer of spec.answers) expect(specOf(answer)).toBeDefined();
  });

  it.each(specs)('%s has the orchestrator at one end', (_type, spec) => {
    expect(spec.from.includes('orchestrator') || spec.to.includes('orchestrator')).toBe(true);
  });

  it.each(specs.filter(([, spec]) => spec.durable))(
    '%s, being durable, goes to the orchestrator on the control lane and is acknowledged',
    (_type, spec) => {
      expect(spec.to).toEqual(['orchestrator']);
      expect(spec.from).not.toContain('orchestrator');
      expect(spec.lane).toBe('control');
      expect(spec.answers).toEqual(['ack']);
    },
  );

  it.each(specs.filter(([, spec]) => spec.answers.length > 0))(
    '%s is answered by messages that go the other way on the control lane',
    (_type, spec) => {
      for (const name of spec.answers) {
        const answer = specOf(name);
        for (const asker of spec.from) expect(answer?.to).toContain(asker);
        for (const asked of spec.to) expect(answer?.from).toContain(asked);
        expect(answer?.lane).toBe('control');
      }
    },
  );

  it('names the terminal reports durable', () => {
    const durable = specs.filter(([, spec]) => spec.durable).map(([type]) => type);
    expect(durable.toSorted()).toEqual([
      'escalation',
      'review-approved',
      'review-failed',
      'review-rejected',
      'task-completed',
      'task-failed',
      'task-lost',
      'task-wip',
    ]);
  });

  it('has names of lower-case words, and nothing of the prototype chain', () => {
    for (const [type] of specs) expect(type).toMatch(/^[a-z]+(-[a-z]+)*$/);
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty', '', 'Hello']) {
      expect(isMessageType(name)).toBe(false);
      expect(specOf(name)).toBeUndefined();
    }
  });
});

describe('close codes', () => {
  const entries = Object.values(closeCodes);

  it('are unique, within 4400–4499, and explained', () => {
    expect(new Set(entries.map((entry) => entry.code)).size).toBe(entries.length);
    for (const entry of entries) {
      expect(entry.code).toBeGreaterThanOrEqual(4400);
      expect(entry.code).toBeLessThanOrEqual(4499);
      expect(entry.text.length).toBeGreaterThan(5);
    }
  });

  it('let a peer come back from trouble of the network, not from a refusal', () => {
    for (const code of [1000, 1001, 1006, 1011, 1012]) expect(mayReconnect(code)).toBe(true);
    for (const entry of entries) expect(mayReconnect(entry.code)).toBe(entry.reconnect);
    expect(mayReconnect(closeCodes.shuttingDown.code)).toBe(true);
    expect(mayReconnect(closeCodes.unauthorized.code)).toBe(false);
    expect(mayReconnect(closeCodes.replaced.code)).toBe(false);
  });
});

describe('the error table', () => {
  const codes = Object.keys(errorTable) as ErrorCode[];

  it.each(codes)('%s is a code with a text for people and an exit code', (code) => {
    expect(code).toMatch(/^E_[A-Z]+(_[A-Z]+)*$/);
    expect(errorTable[code].text).toMatch(/^[A-Z`g].*\.$/);
    expect(['never', 'later', 'now']).toContain(errorTable[code].next);
    const error = new AppError(code, 'what happened');
    expect(error.exitCode).toBeGreaterThan(0);
    expect(error.next).toBe(errorTable[code].next);
  });

  it('gives every exit a code of its own', () => {
    const numbers = Object.values(exitCodes).map((entry) => entry.code);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const number of numbers) expect(number >= 0 && number < 256).toBe(true);
  });

  it('keeps the cause and the details of an error', () => {
    const cause = new Error('below');
    const error = new AppError('E_IO', 'above', { cause, details: { file: 'x' } });
    expect(error.cause).toBe(cause);
    expect(error.details).toEqual({ file: 'x' });
    expect('cause' in new AppError('E_IO', 'alone')).toBe(false);
  });
});

describe('the line of a failure', () => {
  it('ends with the last thing that was said, not with where npm keeps its log', () => {
    const outputTail =
      'npm error missing script: test\nnpm error A complete log of this run can be found in: /x/1-debug-0.log\n\n';
    expect(failureLine({ class: 'logic', code: 'E_ACCEPTANCE', message: 'no\nmore', outputTail })).toBe(
      'E_ACCEPTANCE: no; it said: npm error missing script: test',
    );
  });
});

describe('limits', () => {
  it('are positive whole numbers', () => {
    for (const value of Object.values(limits)) expect(Number.isInteger(value) && value > 0).toBe(true);
  });

  it('fit each other', () => {
    expect(limits.controlFrameBytes).toBeLessThan(limits.controlQueueBytes);
    expect(limits.bulkFrameBytes).toBeLessThanOrEqual(limits.bulkQueueBytes);
    expect(limits.unverifiableAfterMs).toBeGreaterThanOrEqual(limits.heartbeatIntervalMs * 3);
    expect(limits.leaseGraceMs).toBeGreaterThan(limits.unverifiableAfterMs);
    expect(limits.planFileBytes).toBeLessThan(limits.controlFrameBytes);
    expect(limits.reconnectMinMs).toBeLessThan(limits.reconnectMaxMs);
  });
});
