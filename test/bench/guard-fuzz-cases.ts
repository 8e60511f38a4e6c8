/** Trees, links, names and operations for the fuzzing of the path guard. */
import fc from 'fast-check';
import { needle, type Operation } from './guard-model-operations.ts';

/** An entry that is made before the guard is opened: names below a root, which may be there already. */
export interface Entry {
  readonly root: 'ws' | 'ro';
  readonly names: readonly string[];
  readonly made: 'file' | 'folder' | 'link' | 'second-name';
  /** Of a file its content, of a link where it leads to, of a second name the number of an earlier file. */
  readonly text: string;
  readonly of: number;
}

export interface FuzzCase {
  readonly entries: readonly Entry[];
  readonly operations: readonly Operation[];
}

/** Names that mean something, some in other spellings, and ordinary ones, so that paths meet entries. */
const known = [
  ...['d e', ' ', '.. ', '...', '-x', '\u00e9', 'e\u0301', '\u65e5', '\u{1f600}'],
  ...[
    '.env',
    '.ENV',
    '.env.',
    '\uff0eenv',
    '.env:x',
    'secrets',
    'SECRET\u017f',
    '.envrc',
    '.vscode',
    'VSCODE',
  ],
  ...[
    '.git',
    '.GIT',
    'git~1',
    'config',
    'hooks',
    'HEAD',
    'x (deleted)',
    '~',
    'a:b',
    'a\\b',
    'a\nb',
    'a\u200bb',
  ],
];
const anySign = fc.string({ unit: 'binary', minLength: 1, maxLength: 6 });
/** A name that a file can have: no slash, no NUL, not too many bytes. */
const anyName = anySign
  .map((text) => text.replace(/[/\0]/g, '_'))
  .filter((name) => name !== '.' && name !== '..');
const name = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('a', 'b', 'c') },
  { weight: 6, arbitrary: fc.constantFrom(...known) },
  { weight: 2, arbitrary: anyName },
);

/**
 * `$B` is the folder that holds the roots, `ws` and `ro`, and `out`, which is in none; `$0` to `$7` are the paths of the
 * entries that were made.
 */
const start = fc.oneof(
  { weight: 8, arbitrary: fc.nat(7).map((number) => `$${number}`) },
  { weight: 4, arbitrary: fc.constant('') },
  {
    weight: 4,
    arbitrary: fc.constantFrom('$B/ws/', '$B/ro/', '$B/out/', '../ro/', '../out/', '../ws/', '/', './'),
  },
);
const step = fc.oneof(
  { weight: 12, arbitrary: name },
  { weight: 3, arbitrary: fc.constantFrom('..', '.', '', '..') },
);
const wellFormed = fc
  .tuple(
    start,
    fc.array(step, { maxLength: 2, size: 'max' }),
    fc.constantFrom('', '', '', '', '/', '//', '/.'),
  )
  .map(
    ([head, steps, tail]) =>
      `${head}${/^\$\d/.test(head) && steps.length > 0 ? '/' : ''}${steps.join('/')}${tail}`,
  );
/** Any code units: halves of pairs, controls, and what looks like a URL or a home. */
const wild = fc.oneof(
  fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 8 }),
  fc.constantFrom(
    '',
    ' ',
    '~',
    '~/a',
    'file:a',
    'https://a',
    'a'.repeat(256),
    'a/'.repeat(2048),
    '\u00e9'.repeat(128),
  ),
);
const path = fc.oneof({ weight: 14, arbitrary: wellFormed }, { weight: 1, arbitrary: wild });
const target = wellFormed.filter(
  (text) => text !== '' && !text.includes('\0') && Buffer.byteLength(text) < 200,
);

const content = fc.oneof(
  fc.constantFrom('', 'text', `a\n${needle} b\nc`),
  anySign.map((text) => text.replace(/\0/g, '')),
);

const entry: fc.Arbitrary<Entry> = fc.record({
  root: fc.constantFrom('ws', 'ws', 'ws', 'ro'),
  names: fc.array(name, { minLength: 1, maxLength: 3 }),
  made: fc.constantFrom('file', 'file', 'folder', 'link', 'link', 'second-name'),
  text: fc.oneof(content, target),
  of: fc.nat(5),
});

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('read', 'stat', 'list', 'search', 'mkdir', 'remove', 'edit'),
    path,
  }),
  fc.record({ kind: fc.constant('write' as const), path, content }),
  fc.record({ kind: fc.constant('move' as const), path, to: path }),
);

export const fuzzCase: fc.Arbitrary<FuzzCase> = fc.record({
  entries: fc.array(entry, { maxLength: 8, size: 'max' }),
  operations: fc.array(operation, { minLength: 1, maxLength: 5, size: 'max' }),
});
