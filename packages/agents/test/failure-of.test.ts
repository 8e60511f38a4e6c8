import { AppError } from '@switchyard/protocol';
import { failureOf } from '@switchyard/agents';
import { expect, it } from 'vitest';

const errno = (code: string): Error => Object.assign(new Error(`${code}: no, write`), { code });

it.each([
  ['ENOSPC', 'E_DISK_FULL', 'the disk is full: ENOSPC: no, write'],
  ['EDQUOT', 'E_DISK_FULL', 'the quota of the disk is used up: EDQUOT: no, write'],
  ['EROFS', 'E_IO', 'the file system is read-only: EROFS: no, write'],
  ['EIO', 'E_IO', 'the disk cannot be read or written: EIO: no, write'],
  ['EMFILE', 'E_IO', 'the process has too many files open: EMFILE: no, write'],
  ['ENFILE', 'E_IO', 'the machine has too many files open: ENFILE: no, write'],
  ['ENOMEM', 'E_IO', 'the machine is out of memory: ENOMEM: no, write'],
  ['EAGAIN', 'E_IO', 'the machine has nothing to spare at the moment: EAGAIN: no, write'],
])('%s is trouble of the machine, which is tried again', (code, ours, message) => {
  expect(failureOf(errno(code))).toEqual({ class: 'io', code: ours, message });
});

it.each([
  ['an answer about what was asked for', errno('ENOENT'), 'ENOENT: no, write'],
  ['an error without a code', new TypeError('x is undefined'), 'x is undefined'],
  ['no error at all', 'text', 'text'],
])('%s is a bug', (_, thrown, text) => {
  expect(failureOf(thrown)).toEqual({ class: 'fatal', code: 'E_INTERNAL', message: `a bug: ${text}` });
});

it('an operating error keeps its code, its paths and the end of an output', () => {
  const details = { paths: ['a'], outputTail: 'last words' };
  expect(failureOf(new AppError('E_WORKSPACE_VIOLATION', 'outside', { details }))).toEqual({
    class: 'logic',
    code: 'E_WORKSPACE_VIOLATION',
    message: 'outside',
    ...details,
  });
});
