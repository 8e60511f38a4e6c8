import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerId } from '@switchyard/protocol';
import { invitationMs, openTokenBook, type TokenBook } from '@switchyard/transport';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom, VirtualClock } from '@switchyard/testkit';

const worker1 = peerId.parse('worker-1');
const worker2 = peerId.parse('worker-2');
let folder: string;
let file: string;
let clock: VirtualClock;
let seed = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-tokens-'));
  file = join(folder, 'token');
  clock = new VirtualClock();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(): TokenBook {
  seed += 1;
  return openTokenBook(file, { clock, random: seededRandom(seed) });
}

/** Uses an invitation as the hub does. */
function exchange(book: TokenBook, token: string, peer = worker1): string | undefined {
  return book.grant(token, 'control')?.lastingToken?.(peer, 'worker');
}

describe('the operator token', () => {
  it('is made once, in a file only its owner can read', () => {
    const { operatorToken } = open();
    expect(operatorToken.length).toBeGreaterThanOrEqual(52);
    expect(readFileSync(file, 'utf8').trim()).toBe(operatorToken);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(open().operatorToken).toBe(operatorToken);
    expect(readdirSync(folder)).toEqual(['observer-token', 'token']);
  });

  it('lets in every role under any name', () => {
    const book = open();
    const grant = book.grant(book.operatorToken, 'bulk');
    expect(grant).toMatchObject({ roles: ['worker', 'reviewer', 'client', 'observer'], lane: 'bulk' });
    expect(grant?.peer).toBeUndefined();
    expect(grant?.lastingToken).toBeUndefined();
    expect(JSON.stringify(grant)).not.toContain(book.operatorToken);
  });

  it('is closed to others again when somebody opened its file, and made anew when that is empty', () => {
    const { operatorToken } = open();
    chmodSync(file, 0o644);
    expect(open().operatorToken).toBe(operatorToken);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(file, '\n');
    expect(open().operatorToken).not.toBe(operatorToken);
  });

  it('is nothing else: not a prefix, not its hash, not nothing', () => {
    const book = open();
    for (const wrong of [undefined, '', 'x', book.operatorToken.slice(1), `${book.operatorToken} `])
      expect(book.grant(wrong, 'control')).toBeUndefined();
  });
});

describe("the observers' token", () => {
  const observerToken = (): string => readFileSync(join(folder, 'observer-token'), 'utf8').trim();

  it('lets in observers alone, on both lanes, and lasts', () => {
    const book = open();
    expect(book.grant(observerToken(), 'control')).toMatchObject({ roles: ['observer'] });
    expect(open().grant(observerToken(), 'bulk')).toMatchObject({ roles: ['observer'], lane: 'bulk' });
    expect(observerToken()).not.toBe(book.operatorToken);
    expect(statSync(join(folder, 'observer-token')).mode & 0o777).toBe(0o600);
  });
});

describe('an invitation', () => {
  it('is exchanged for a token bound to the peer and the role, which lasts', () => {
    const book = open();
    const { token, expiresAt } = book.invite('worker');
    expect(expiresAt).toBe(clock.now() + invitationMs);
    expect(book.grant(token, 'control')).toMatchObject({ roles: ['worker'] });
    const lasting = exchange(book, token);
    expect(open().grant(lasting, 'bulk')).toMatchObject({
      roles: ['worker'],
      peer: 'worker-1',
      lane: 'bulk',
    });
  });

  it('is kept as a hash, in a file only its owner can read', () => {
    const book = open();
    const { token } = book.invite('worker');
    const lasting = exchange(book, token) ?? '';
    const text = readFileSync(join(folder, 'tokens.json'), 'utf8');
    expect(text).not.toContain(token);
    expect(text).not.toContain(lasting);
    expect(text).not.toContain(book.operatorToken);
    expect(statSync(join(folder, 'tokens.json')).mode & 0o777).toBe(0o600);
  });

  it('may be asked again by the same peer until the lasting token has been used, since a welcome may be lost', () => {
    const book = open();
    const { token } = book.invite('worker');
    const lost = exchange(book, token);
    const kept = exchange(book, token);
    expect(kept).toBeDefined();
    expect(book.grant(lost, 'control')).toBeUndefined();
    expect(exchange(book, token, worker2)).toBeUndefined();
    expect(book.grant(kept, 'bulk')).toBeDefined();
    expect(book.grant(token, 'control')).toBeUndefined();
    expect(open().grant(token, 'control')).toBeUndefined();
    expect(open().grant(kept, 'control')).toBeDefined();
  });

  it('is over after an hour', async () => {
    const book = open();
    const { token } = book.invite('reviewer');
    const late = book.grant(token, 'control');
    await clock.advance(invitationMs);
    expect(book.grant(token, 'control')).toBeUndefined();
    expect(late?.lastingToken?.(worker1, 'reviewer')).toBeUndefined();
  });

  it('does not give the name of a peer that has a token already', () => {
    const book = open();
    const first = book.invite('worker').token;
    const lasting = exchange(book, first);
    expect(exchange(book, book.invite('worker').token)).toBeUndefined();
    expect(book.grant(lasting, 'control')).toMatchObject({ peer: 'worker-1' });
  });

  it('survives a restart of the orchestrator', () => {
    const { token } = open().invite('worker');
    expect(exchange(open(), token)).toBeDefined();
  });
});

describe('revoking', () => {
  it('takes the peer’s tokens away and frees its name', () => {
    const book = open();
    const lasting = exchange(book, book.invite('worker').token);
    expect(book.revoke(worker1)).toBe(true);
    expect(book.revoke(worker1)).toBe(false);
    expect(book.grant(lasting, 'control')).toBeUndefined();
    expect(exchange(book, book.invite('worker').token)).toBeDefined();
  });
});

describe('damaged files', () => {
  it.each([
    ['no JSON', '{'],
    ['another shape', '[]'],
    ['no version', '{"invitations":[],"lasting":[]}'],
    [
      'a hash that is none',
      '{"version":1,"invitations":[{"hash":"x","role":"worker","expiresAt":1}],"lasting":[]}',
    ],
    [
      'a role nobody invites',
      `{"version":1,"invitations":[{"hash":"${'0'.repeat(64)}","role":"client","expiresAt":1}],"lasting":[]}`,
    ],
    [
      'a name that is none',
      `{"version":1,"invitations":[],"lasting":[{"hash":"${'0'.repeat(64)}","role":"worker","peer":"../x"}]}`,
    ],
  ])('%s is said with the way out', (_name, text) => {
    writeFileSync(join(folder, 'tokens.json'), text);
    expect(open).toThrow(expect.objectContaining({ code: 'E_STATE_DAMAGED' }) as Error);
    expect(open).toThrow(/tokens\.json is damaged; remove it/);
  });

  it('a newer version is not guessed at', () => {
    writeFileSync(join(folder, 'tokens.json'), '{"version":2}');
    expect(open).toThrow(expect.objectContaining({ code: 'E_STATE_NEWER' }) as Error);
  });

  it('a folder that is gone is said, and leaves the book as it was', () => {
    const book = open();
    const { token } = book.invite('worker');
    rmSync(folder, { recursive: true });
    expect(() => book.invite('worker')).toThrow(expect.objectContaining({ code: 'E_STORAGE' }) as Error);
    expect(existsSync(folder)).toBe(false);
    expect(book.grant(token, 'control')).toBeDefined();
  });
});
