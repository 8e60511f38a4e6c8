import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limits, messageId } from '@switchyard/protocol';
import { silentLogger } from '@switchyard/runtime';
import { openOutbox, type Outbox, type OutboxOptions } from '@switchyard/store';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

let folder = '';
let file = '';
let outbox: Outbox | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-outbox-'));
  file = join(folder, 'outbox');
});
afterEach(async () => {
  await outbox?.close();
  rmSync(folder, { recursive: true, force: true });
});

const id = (number: number) => messageId.parse(`m${number}`);
const frame = (text: string) => new TextEncoder().encode(text);
function open(extra: Partial<OutboxOptions> = {}): Outbox {
  outbox = openOutbox({ file, logger: silentLogger(), ...extra });
  return outbox;
}
const texts = (box: Outbox) =>
  box.pending().map((entry) => `${entry.id}=${new TextDecoder().decode(entry.frame)}`);

/** What another process would find, had this one been killed now. */
async function textsAfterACrash(): Promise<string[]> {
  const copy = join(folder, 'copy');
  writeFileSync(copy, readFileSync(file));
  const other = openOutbox({ file: copy, logger: silentLogger() });
  const found = texts(other);
  await other.close();
  return found;
}

describe('an outbox', () => {
  it('keeps what was appended over a restart, in order, until it is acknowledged', async () => {
    const first = open();
    await Promise.all([first.append(id(1), frame('a')), first.append(id(2), frame('b'))]);
    await first.append(id(3), frame('c'));
    await first.acknowledge([id(2), id(9)]);
    expect(texts(first)).toEqual(['m1=a', 'm3=c']);
    await first.close();
    const second = open();
    expect(texts(second)).toEqual(['m1=a', 'm3=c']);
    await second.acknowledge([id(1), id(3)]);
    await second.close();
    expect(texts(open())).toEqual([]);
  });

  it('is on the disk when the promise resolves', async () => {
    const first = open();
    await first.append(id(1), frame('a'));
    const copy = join(folder, 'copy');
    writeFileSync(copy, readFileSync(file));
    const other = openOutbox({ file: copy, logger: silentLogger() });
    expect(texts(other)).toEqual(['m1=a']);
    await other.close();
  });

  it('ignores an id that is there already', async () => {
    const first = open();
    await first.append(id(1), frame('a'));
    await first.append(id(1), frame('b'));
    expect(texts(first)).toEqual(['m1=a']);
  });

  it('honours an acknowledgement that comes before the append has ended', async () => {
    const first = open();
    await Promise.all([first.append(id(1), frame('a')), first.acknowledge([id(1)])]);
    expect(texts(first)).toEqual([]);
  });

  it('tells the disk of an acknowledgement with the next message, or a second later, and not before', async () => {
    const later: (() => void)[] = [];
    const first = open({ later: (callback) => later.push(callback) });
    await first.append(id(1), frame('a'));
    await first.append(id(2), frame('b'));
    const before = readFileSync(file);
    await first.acknowledge([id(1)]);
    expect(texts(first)).toEqual(['m2=b']);
    expect(readFileSync(file)).toEqual(before);
    await first.append(id(3), frame('c'));
    expect(await textsAfterACrash()).toEqual(['m2=b', 'm3=c']);
    await first.acknowledge([id(2)]);
    expect(await textsAfterACrash()).toEqual(['m2=b', 'm3=c']);
    for (const callback of later.splice(0)) callback();
    await first.append(id(4), frame('d'));
    expect(await textsAfterACrash()).toEqual(['m3=c', 'm4=d']);
    await first.acknowledge([id(3), id(4)]);
    for (const callback of later.splice(0)) callback();
    await vi.waitFor(async () => expect(await textsAfterACrash()).toEqual([]), 60_000);
  });

  it('does not write what was acknowledged before its write began, a moment later', async () => {
    let begin = (): void => undefined;
    const first = open({ soon: (callback) => (begin = callback) });
    const before = statSync(file).size;
    let isSettled = false;
    const stored = first.append(id(1), frame('a')).then(() => (isSettled = true));
    await new Promise(setImmediate);
    await first.acknowledge([id(1)]);
    await new Promise(setImmediate);
    expect(isSettled).toBe(false);
    begin();
    await stored;
    expect(statSync(file).size).toBe(before);
    await first.close();
  });

  it('writes what nobody has acknowledged by the second look, and with it what has just come', async () => {
    const looks: (() => void)[] = [];
    const first = open({ soon: (callback) => looks.push(callback) });
    const before = statSync(file).size;
    const look = async (): Promise<void> => {
      looks.shift()?.();
      await new Promise(setImmediate);
    };
    const stored = first.append(id(1), frame('a'));
    await look();
    expect(statSync(file).size).toBe(before);
    const also = first.append(id(2), frame('b'));
    await look();
    await first.acknowledge([id(1)]);
    await Promise.all([stored, also]);
    expect(await textsAfterACrash()).toEqual(['m1=a', 'm2=b']);
    expect(texts(first)).toEqual(['m2=b']);
    outbox = undefined;
    const closed = first.close();
    await look();
    await closed;
  });

  it('does not write what has just come on behalf of what was acknowledged in time', async () => {
    const looks: (() => void)[] = [];
    const first = open({ soon: (callback) => looks.push(callback) });
    const before = statSync(file).size;
    for (let number = 1; number <= 20; number += 1) {
      void first.append(id(number), frame('a'));
      if (number > 1) await first.acknowledge([id(number - 1)]);
      looks.shift()?.();
      await new Promise(setImmediate);
    }
    expect(statSync(file).size).toBe(before);
    await first.acknowledge([id(20)]);
    outbox = undefined;
    const closed = first.close();
    while (looks.length > 0) {
      looks.shift()?.();
      await new Promise(setImmediate);
    }
    await closed;
  });

  it('drops a last record that was cut off, at every length, and keeps the others', async () => {
    const first = open();
    await first.append(id(1), frame('first'));
    const good = statSync(file).size;
    await first.append(id(2), frame('second'));
    await first.close();
    const whole = readFileSync(file);
    for (let size = good; size < whole.length; size += 1) {
      writeFileSync(file, whole.subarray(0, size));
      const box = open();
      expect(texts(box)).toEqual(['m1=first']);
      await box.append(id(3), frame('third'));
      await box.close();
      expect(texts(open())).toEqual(['m1=first', 'm3=third']);
      await outbox?.close();
    }
  });

  it('drops a tail of zeros, as file systems leave after a crash', async () => {
    await open().append(id(1), frame('first'));
    await outbox?.close();
    appendFileSync(file, Buffer.alloc(5_000));
    expect(texts(open())).toEqual(['m1=first']);
  });

  it('starts anew from a head that was cut off', () => {
    writeFileSync(file, 'SWY');
    expect(texts(open())).toEqual([]);
  });

  it('says E_STATE_DAMAGED when a byte of a synced record has changed', async () => {
    const first = open();
    await first.append(id(1), frame('first'));
    await first.append(id(2), frame('second'));
    await first.close();
    const bytes = readFileSync(file);
    bytes[bytes.indexOf('first')] = 70;
    writeFileSync(file, bytes);
    expect(() => open()).toThrow(/damaged at byte 8/);
    writeFileSync(file, 'another program wrote this');
    expect(() => open()).toThrow(/damaged at byte 0/);
  });

  it('is written anew when most of it is acknowledged', async () => {
    const first = open({ compactBytes: 10_000 });
    for (let number = 1; number <= 50; number += 1) {
      await first.append(id(number), frame(`x${'y'.repeat(1_000)}`));
      if (number > 2) await first.acknowledge([id(number)]);
    }
    expect(statSync(file).size).toBeLessThan(15_000);
    expect(first.pending().map((entry) => entry.id)).toEqual(['m1', 'm2']);
    await first.close();
    expect(
      open()
        .pending()
        .map((entry) => entry.id),
    ).toEqual(['m1', 'm2']);
  });

  it('takes no more than its limit', async () => {
    const first = open();
    const appends = Array.from({ length: limits.outboxEntries }, (_, index) =>
      first.append(id(index), frame('')),
    );
    await expect(first.append(id(99_999), frame(''))).rejects.toMatchObject({ code: 'E_QUEUE_FULL' });
    await Promise.all(appends);
    await first.acknowledge([id(5)]);
    await first.append(id(99_999), frame(''));
  });

  it('writes what waits when it is closed, and then refuses', async () => {
    const first = open();
    const waiting = first.append(id(1), frame('a'));
    await first.close();
    await first.close();
    await waiting;
    await expect(first.append(id(2), frame('b'))).rejects.toMatchObject({ code: 'E_STORAGE' });
    expect(texts(open())).toEqual(['m1=a']);
  });

  it('takes a failed write on a full disk back and goes on when there is room', async (context) => {
    const disk = mkdtempSync(join(tmpdir(), 'switchyard-small-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      // Only root may mount.
      rmSync(disk, { recursive: true });
      context.skip();
    }
    try {
      file = join(disk, 'outbox');
      const first = open();
      await first.append(id(1), frame('a'));
      await expect(first.append(id(2), frame('x'.repeat(100_000)))).rejects.toMatchObject({
        code: 'E_DISK_FULL',
      });
      await first.append(id(3), frame('c'));
      await first.close();
      expect(texts(open())).toEqual(['m1=a', 'm3=c']);
      await outbox?.close();
      truncateSync(file, 0);
      expect(texts(open())).toEqual([]);
      await outbox?.close();
    } finally {
      execFileSync('umount', ['--lazy', disk]);
      rmSync(disk, { recursive: true });
    }
  });
});
