import type { Case, Corpus } from './case.ts';

const refusedWrite = (
  title: string,
  path: string,
  refused: Case['end']['refused'],
  before?: string,
): Case => ({
  title,
  ...(before === undefined ? {} : { before }),
  steps: [['write', path, 'PWNED']],
  end: { refused: refused ?? 'E_PROTECTED' },
});

export const writeCases: Corpus = {
  'how a file is written': [
    refusedWrite('a folder', 'd', 'E_IS_DIRECTORY', 'mkdir ws/d'),
    refusedWrite('the workspace by its path', '$WS', 'E_IS_DIRECTORY'),
    refusedWrite('a folder that is not there', 'new/', 'E_IS_DIRECTORY'),
    refusedWrite('a folder by dots', 'd/..', 'E_IS_DIRECTORY', 'mkdir ws/d'),
    refusedWrite('a dot in a folder that is not there', 'new/.', 'E_IS_DIRECTORY'),
    refusedWrite('beneath a file', 'f/x', 'E_NOT_FOUND', 'echo x > ws/f'),
    refusedWrite('a file with a slash', 'f/', 'E_NOT_FOUND', 'echo x > ws/f'),
    refusedWrite('dots behind what is not there', 'new/../f', 'E_NOT_FOUND'),
    refusedWrite('the readable root', '$RO/x', 'E_READ_ONLY'),
    refusedWrite('a file of the readable root', '$RO/r.txt', 'E_READ_ONLY'),
    refusedWrite('deep in the readable root', '$RO/a/b/c', 'E_READ_ONLY'),
    {
      title: 'make a folder in the readable root',
      steps: [['mkdir', '$RO/x']],
      end: { refused: 'E_READ_ONLY' },
    },
    {
      title: 'remove from the readable root',
      steps: [['remove', '$RO/r.txt']],
      end: { refused: 'E_READ_ONLY' },
    },
    {
      title: 'move out of the readable root',
      steps: [['move', '$RO/r.txt', 'x']],
      end: { refused: 'E_READ_ONLY' },
    },
    {
      title: 'move into the readable root',
      before: 'echo x > ws/f',
      steps: [['move', 'f', '$RO/f']],
      end: { refused: 'E_READ_ONLY', holds: 'f=x\n' },
    },
    {
      title: 'too much',
      steps: [['write', 'new/f', 'x'.repeat(8 * 1024 * 1024 + 1)]],
      end: { refused: 'E_TOO_LARGE', gone: 'new' },
    },
    {
      title: 'too much in bytes, not in signs',
      steps: [['write', 'f', '\u20ac'.repeat(3 * 1024 * 1024)]],
      end: { refused: 'E_TOO_LARGE', gone: 'f' },
    },
    {
      title: 'too much by an insertion',
      before: 'truncate -s 8388600 ws/f',
      steps: [['insert', 'f', 0, 'x'.repeat(100)]],
      end: { refused: ['E_TOO_LARGE', 'E_NOT_REGULAR'] },
    },
    {
      title: 'a folder that may not be written',
      before: 'mkdir ws/d; chmod 555 ws/d',
      steps: [['write', 'd/f', 'x']],
      end: { refused: 'E_ACCESS' },
      rootMay: true,
    },
    {
      title: 'set-id bits do not survive',
      before: 'echo x > ws/f; chmod 6755 ws/f',
      steps: [
        ['write', 'f', 'y'],
        ['run', 'stat -c %a f'],
      ],
      end: { shows: '755', hides: '6755' },
    },
    {
      title: 'the mode survives an insertion',
      before: 'echo x > ws/f; chmod 700 ws/f',
      steps: [
        ['insert', 'f', 0, 'y'],
        ['run', 'stat -c %a f'],
      ],
      end: { shows: '700', holds: 'f=y\nx\n' },
    },
    {
      title: 'a new file is nobody else\u2019s to write',
      steps: [
        ['write', 'f', 'y'],
        ['run', 'stat -c %a f'],
      ],
      end: { hides: '66' },
    },
    {
      title: 'the workspace was moved away',
      before: 'mkdir ws/d',
      steps: [
        ['host', 'mv ws elsewhere'],
        ['write', 'd/x', 'PWNED'],
      ],
      end: { refused: 'E_WORKSPACE_MOVED' },
    },
    {
      title: 'a command, and the workspace is a link now',
      steps: [
        ['host', 'mv ws elsewhere; ln -s outside ws'],
        ['run', 'cat secret.txt; touch PWNED'],
      ],
      end: { refused: 'E_WORKSPACE_MOVED' },
    },
    {
      title: 'the workspace was removed',
      steps: [
        ['host', 'rmdir ws'],
        ['list', '.', true],
      ],
      end: { refused: 'E_WORKSPACE_MOVED' },
    },
    {
      title: 'the folder above the workspace is a link now',
      steps: [
        ['host', 'ln -sfn outside link; mv ws aside; ln -s ../link ws'],
        ['read', '$WS/secret.txt'],
      ],
      end: { refused: 'E_WORKSPACE_MOVED' },
    },
    {
      title: 'a workspace that came back is itself again',
      before: 'echo hello > ws/f',
      steps: [
        ['host', 'mv ws aside; mv aside ws'],
        ['read', 'f'],
      ],
      end: { shows: 'hello' },
    },
    {
      title: 'the readable root was replaced',
      steps: [
        ['host', 'mv ro aside; ln -s outside ro'],
        ['read', '$RO/secret.txt'],
      ],
      end: { refused: 'E_WORKSPACE_MOVED' },
    },
    ...[
      '/',
      '/home',
      '/root',
      '/tmp',
      '/etc',
      '/usr',
      '/usr/lib',
      '/proc',
      '/proc/self/cwd',
      '/dev/shm',
      '/var',
      '/var/tmp',
      '/',
      '.',
      '',
      'ws',
      '$B/nothing',
      '$OUT/secret.txt',
      '$WS\0x',
    ].map((root, index): Case => ({
      title: `a workspace ${index}: ${root}`,
      steps: [['open', root]],
      end: { refused: ['E_BAD_ROOT', 'E_PATH_INVALID'] },
    })),
    {
      title: 'a workspace that is no text',
      steps: [['open', 7]],
      end: { refused: ['E_BAD_ROOT', 'E_PATH_INVALID'] },
    },
    {
      title: 'a workspace of the daemon\u2019s home',
      steps: [['open', '/root/..']],
      end: { refused: 'E_BAD_ROOT' },
    },
  ],
};
