import { offIn, type Mutant, type Off } from './mutant.ts';

const source = 'packages/guard/src';
const test = (name: string): string => `packages/guard/test/${name}.test.ts`;
const tests = ['path-guard', 'beneath', 'roots', 'policy', 'told-files'].map(test);
const texts = ['names', 'diffs'].map(test);

const off = (file: string, by: readonly string[]) => offIn(`${source}/${file}`, by);

/** Writing below a pinned folder. */
const changes: readonly Off[] = [
  [
    'what is there is replaced whatever the policy says',
    '  checkWritable(scope, target.place, asked);\n  const stat',
    '  const stat',
  ],
  [
    'what is no file is replaced by one',
    'const stat = checkRegular(target.stat, asked);',
    'void checkRegular; const { stat } = target;',
  ],
  [
    'another name of a denied file may be written',
    '  checkReadable(scope, target.place, { asked, stat });\n  return stat;',
    '  return stat;',
  ],
  [
    'the folder that is worked in may stand elsewhere by now',
    'if (nameOf(folder) === parent) return folder;',
    'void parent; if (nameOf(folder)) return folder;',
    [test('between-steps')],
  ],
  [
    'new files are made whatever the policy says',
    '  checkWritable(scope, place, asked);\n  if (target.isBlocked)',
    '  if (target.isBlocked)',
  ],
  [
    'what was made stands where it was meant to',
    "if (nameOf(folder) !== dirname(place.path)) return 'changed';",
    'void nameOf;',
    [test('between-steps')],
  ],
  [
    'folders stand where they were meant to',
    "return nameOf(made) === place.path ? undefined : 'changed';",
    'return undefined;',
    [test('between-steps')],
  ],
  [
    'a new file may be as large as it likes',
    '  checkSize(content.length, asked);\n  const folder',
    '  const folder',
  ],
  [
    'a new file may be named like a folder',
    'if (/(?:^|\\/)\\.{0,2}$/.test(asked)) throw isDirectory(asked);',
    '',
  ],
  [
    'the way up from what is missing is made',
    "if (target.names.includes('..')) {",
    "if (target.names.includes('..') && !isWritable(place)) {",
  ],
  [
    'the way up in a read root is missing, not forbidden',
    'if (!isWritable(place)) checkWritable(scope, place, asked);',
    '',
  ],
  [
    'a file is a folder for what is made below',
    'if (target.isBlocked) throw absence(scope, target, asked);',
    '',
  ],
  ['what a link leads to is made', 'if (!target.isDangling) return place;', 'if (target) return place;'],
  [
    'a binary is a text',
    "if (isUtf8(content)) return content.toString('utf8');",
    "if (content) return content.toString('utf8');",
  ],
  [
    'folders that are there need no right',
    '        checkWritable(scope, target.place, asked);\n        if (target.stat',
    '        if (target.stat',
  ],
  [
    'a file is a folder that is there',
    'if (target.stat.isDirectory()) return undefined;',
    'if (target.stat) return undefined;',
  ],
  [
    'what cannot be made is said to be missing',
    '  checkCreatable(scope, target, asked);\n  return absence',
    '  return absence',
  ],
  [
    'an edit of any size is explained as fine',
    'checkSize(checkReplaceable(scope, target, asked).size, asked);',
    'checkReplaceable(scope, target, asked);',
  ],
];

/** The content itself. */
const content: readonly Off[] = [
  ['files of any size are read', '  checkSize(size, asked);\n  const data', '  const data'],
  [
    'a file that grows is read without end',
    '    checkSize(total, asked);\n    const chunk',
    '    const chunk',
  ],
  [
    'a file that grows is read in part',
    ': readRest(data, content.subarray(0, count), asked);',
    ': content.subarray(0, count); void readRest;',
  ],
  ['a pipe that took the place of a file is waited for', 'O_RDONLY | O_NONBLOCK', 'O_RDONLY'],
  [
    'an edit may grow without end',
    '  checkSize(content.length, asked);\n  const temporary',
    '  const temporary',
  ],
  ['a file that somebody made is taken for ours', 'O_WRONLY | O_CREAT | O_EXCL, ', 'O_WRONLY | O_CREAT, '],
  [
    'the temporary name can be guessed',
    "randomBytes(12).toString('hex')",
    "randomBytes(12).toString('hex').slice(24)",
  ],
  ['others read what is being written', 'before === undefined ? 0o666 : 0o600', '0o666'],
  [
    'the file is written in its place',
    "const temporary = `/proc/self/fd/${folder}/.switchyard-${randomBytes(12).toString('hex')}`;",
    'void randomBytes; const temporary = `/proc/self/fd/${folder}/${name}`;',
  ],
  [
    'modes and owners are not kept',
    'if (before !== undefined) keepAttributes(data, before);',
    'void keepAttributes;',
  ],
  ['set-uid bits are kept', 'before.mode & 0o777', 'before.mode & 0o7777'],
  [
    'owners are not kept',
    'if (now.uid !== before.uid || now.gid !== before.gid) fchownSync(data, before.uid, before.gid);',
    'void now; void fchownSync;',
  ],
  ['what could not be finished stays', '    removeQuietly(temporary);\n', '    void removeQuietly;\n'],
  [
    'a folder on the way may be a link',
    'openSync(path, O_PATH | O_DIRECTORY | O_NOFOLLOW)',
    'openSync(path, O_PATH | O_DIRECTORY)',
  ],
  [
    'a folder on the way may be a file',
    'openSync(path, O_PATH | O_DIRECTORY | O_NOFOLLOW)',
    'openSync(path, O_PATH | O_NOFOLLOW)',
  ],
];

const moves: readonly Off[] = [
  ['dots are names', "if (name === '' || name === '.' || name === '..') {", "if (name === '') {"],
  ['roots have names', 'if (scope.roots.some((root) => root.path === path)) throw isDirectory(asked);', ''],
  [
    'names are taken whatever the policy says',
    '  checkWritable(scope, place, asked);\n  if (scope.access.protect',
    '  if (scope.access.protect',
  ],
  [
    'what is in git may be moved',
    'if (scope.access.protect && isInGit(place.relative))',
    'if (!scope.access && isInGit(place.relative))',
  ],
  [
    'another name of a denied file may be moved',
    'if (stat.isFile()) checkReadable(scope, source.place, { asked: source.asked, stat });',
    'void checkReadable;',
  ],
  [
    'a file may be moved to a folder that is not there',
    "if (target.asked.endsWith('/') && !stat.isDirectory()) throw isDirectory(target.asked);",
    '',
  ],
  [
    'a link is what it leads to',
    'const descriptor = openSync(`${pathOf(folder)}/${name}`, O_PATH | O_NOFOLLOW);',
    'const descriptor = openSync(`${pathOf(folder)}/${name}`, O_PATH);',
  ],
  [
    'a slash behind a file that is moved means nothing',
    "if (!asked.endsWith('/')) return descriptor;",
    'if (asked) return descriptor;',
  ],
  [
    'a folder is moved with what it holds',
    'if (below.some((place) => isHeld(scope, place))) throw heldError(relative, asked);',
    'void below;',
  ],
  [
    'only what a folder holds now matters, not what it would',
    'openMember(scope, source, [source.place, target.place])',
    'openMember(scope, source, [source.place])',
  ],
  [
    'a folder is removed with what came into it',
    'if (isHeld(context.scope, place)) throw heldError(name, context.asked);',
    '',
  ],
  [
    'removing goes through links',
    'const descriptor = openSync(path, O_PATH | O_NOFOLLOW);',
    'const descriptor = openSync(path, O_PATH);',
  ],
];

const again: readonly Off[] = [
  ['a change is tried for ever', 'attempt <= attemptsMax; attempt += 1', 'attempt <= 100_000; attempt += 1'],
  ['one change between two steps is a failure', 'const attemptsMax = 8;', 'const attemptsMax = 1;'],
];

/** Diffs: which file is meant, and which place in it. */
const headers: readonly Off[] = [
  [
    'a diff may make a link',
    '  if (mode !== undefined && !/^100[0-7]{3}$/.test(mode))',
    '  if (mode === line)',
  ],
  ['a diff may be binary', 'if (/^(?:GIT binary patch|Binary files )/.test(line))', 'if (line === path)'],
  [
    'a diff may name another file',
    '    if (!isSameFile(name, path))',
    '    if (name === line && !isSameFile(name, path))',
  ],
  ['a diff may rename', '|rename from|rename to|', '|'],
  ['a diff may copy', '|copy from|copy to)', ')'],
  ['the first line of a diff names no file', '[] : [unquote(first), unquote(second)]', '[] : []'],
  ['quoted names are other names', 'if (inner === undefined) return name;', "if (inner !== '') return name;"],
  [
    'a diff may climb',
    'const normal = posix.normalize(read);',
    "const normal = read.replace(/^.*\\.\\.\\//, '');",
  ],
];
const blocks: readonly Off[] = [
  [
    'an empty text stands everywhere',
    "if (blocks.some(({ search }) => search.join('').trim() === ''))",
    'if (blocks.length > 1000)',
  ],
  [
    'a block without an end is one',
    "if (middle < 0 || end < 0 || (next >= 0 && next < end)) throw noMatch('A block is not finished', path);",
    '',
  ],
  [
    'what is not there is passed over',
    "if (match === undefined) throw noMatch('A SEARCH text is not in the file', path);",
    'if (match === undefined) continue;',
  ],
  [
    'of places that are equally near the first is taken',
    '    if (first !== undefined && nearest.length > 1) return { lines: nearest.map(({ line }) => line + 1) };\n',
    '',
  ],
];

export const guardChanges: readonly Mutant[] = [
  ...changes.map(off('path-changes.ts', tests)),
  ...content.map(off('file-content.ts', tests)),
  ...moves.map(off('path-moves.ts', tests)),
  ...again.map(off('retry.ts', [...tests, test('retry')])),
  ...headers.map(off('diff-headers.ts', texts)),
  ...blocks.slice(0, 3).map(off('search-replace.ts', texts)),
  ...blocks.slice(3).map(off('text-match.ts', texts)),
];
