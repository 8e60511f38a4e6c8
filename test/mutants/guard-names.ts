import { offIn, type Mutant, type Off } from './mutant.ts';

const source = 'packages/guard/src';
const test = (name: string): string => `packages/guard/test/${name}.test.ts`;
const tables = [test('protected-names')];

const off = (file: string, tests: readonly string[]) => offIn(`${source}/${file}`, tests);

/** A line of the lexical rules that answers no reason any more. */
const withoutReason = (name: string, condition: string): Off => [
  name,
  `if (${condition}) return '`,
  `if (false) return '`,
];

/** What makes a path unusable before any file is looked at. */
const lexical: readonly Off[] = [
  [
    'what is no text is a path',
    "if (typeof path !== 'string')\n    throw new GuardError('E_PATH_INVALID', 'A path is a text', { path: String(typeof path) });",
    "if (typeof path !== 'string') return String(path);",
  ],
  ['every sign is an ordinary one', '/^[\\w./][\\w./@+-]*$/', '/^[\\w./][^]*$/'],
  ['ordinary names may be of any length', 'path.length <= nameBytesMax && ordinary', 'ordinary'],
  ['blanks are a path', "if (path.trim() === '') return 'An empty path';", ''],
  ['bad Unicode is a path', "if (/\\p{Cs}/u.test(path)) return 'Bad Unicode in a path';", ''],
  withoutReason('control characters are fine', '/\\p{Cc}/u.test(path)'),
  withoutReason('invisible characters are fine', 'invisible.test(path)'),
  [
    'format characters are visible',
    '[\\p{Cf}\\p{Default_Ignorable_Code_Point}\\u2028',
    '[\\p{Default_Ignorable_Code_Point}\\u2028',
  ],
  [
    'fillers are visible',
    '\\p{Cf}\\p{Default_Ignorable_Code_Point}\\u2028\\u2029\\u2800',
    '\\p{Cf}\\u2028\\u2029\\u2800',
  ],
  ['separators of lines are visible', '\\u2028\\u2029\\u2800', '\\u2800'],
  ['the empty letter of braille is visible', '\\u2028\\u2029\\u2800', '\\u2028\\u2029'],
  withoutReason('paths of any length', 'Buffer.byteLength(path) > pathBytesMax'),
  ['names of any length', 'Buffer.byteLength(name) > nameBytesMax))', 'name.length > nameBytesMax))'],
  ['URLs are paths', '/^[a-z][a-z\\d+.-]*:\\/\\//i.test(path) || ', ''],
  ['URLs of files are paths', ' || /^file:/i.test(path)', ''],
  ['a home is a name like others', "if (path.startsWith('~')) return 'Home folders are not expanded';", ''],
  [
    'a backslash is a sign like others',
    "else if (path.includes('\\\\')) throw invalid(path, 'A backslash in a path');",
    '',
  ],
  [
    'on macOS the other fork of a file is a file',
    "if (/(?:^|\\/)\\.\\.namedfork(?:\\/|$)/i.test(path)) throw invalid(path, 'A fork of a file');",
    '',
  ],
  [
    'on macOS files have numbers',
    "if (/^\\/+\\.(?:vol|resolve|nofollow)(?:\\/|$)/i.test(path)) throw invalid(path, 'A path by file number');",
    '',
  ],
  [
    'on Windows servers are inside',
    'if (/^[\\\\/]{2}|^\\\\\\?\\?\\\\/.test(path)) throw outside(path, root);',
    '',
  ],
  [
    'on Windows a drive has a folder of its own',
    "if (/^[a-z]:(?![\\\\/])/i.test(path)) throw invalid(path, 'A path relative to a drive');",
    '',
  ],
  ['on Windows files have streams', "if (name.includes(':')) return 'A stream of a file';", ''],
  [
    'on Windows every sign is allowed',
    `if (/[<>"|?*]/.test(name)) return 'A character that Windows does not allow';`,
    '',
  ],
  [
    'on Windows names end in dots',
    "if (/[. ]$/.test(name)) return 'A name that ends in a dot or a space';",
    '',
  ],
  [
    'on Windows devices are files',
    "if (deviceName.test((name.split('.')[0] ?? '').trimEnd())) return 'A name of a device';",
    '',
  ],
  [
    'on Windows devices have no number in small',
    'com[\\d\\u00b9\\u00b2\\u00b3]|lpt[\\d\\u00b9\\u00b2\\u00b3]',
    'com\\d|lpt\\d',
  ],
  ['on Windows a device with a blank is a file', "?? '').trimEnd())", "?? ''))"],
  [
    'on Windows short names are names',
    "if (/^[^.~]{1,6}~\\d+(?:\\.[^.]{0,3})?$/.test(name)) return 'A short 8.3 name';",
    '',
  ],
  [
    'on Windows everything is inside',
    'if (resolved !== fold(root) && !resolved.startsWith(`${fold(root)}\\\\`)) throw outside(path, root);',
    '',
  ],
  [
    'on Windows a name that begins like the root is the root',
    'resolved.startsWith(`${fold(root)}\\\\`)',
    'resolved.startsWith(fold(root))',
  ],
  [
    'on Windows letters that look alike are the same',
    'return lower.toUpperCase() === upper && upper.toLowerCase() === lower ? lower : letter;',
    'void upper; return lower;',
  ],
  [
    'what is no text is a command',
    "if (typeof command !== 'string')\n    throw new GuardError('E_PATH_INVALID', 'A command is a text', { path: typeof command });",
    "if (typeof command !== 'string') return String(command);",
  ],
  ['blanks are a command', "if (command.trim() === '') return 'An empty command';", ''],
  ['commands hold NUL bytes', "if (command.includes('\\0')) return 'A NUL byte in a command';", ''],
  ['commands hold bad Unicode', "if (/\\p{Cs}/u.test(command)) return 'Bad Unicode in a command';", ''],
  [
    'commands of any length',
    "Buffer.byteLength(command) > commandBytesMax ? 'The command is too long' : undefined",
    'undefined',
  ],
];

const word = (name: string): Off => [`${name} is not protected`, `  '${name}',\n`, ''];
const fileWord = (name: string): Off => [`${name} is not protected`, `${name} `, ''];

/** Which names are held, however they are spelled. */
const names: readonly Off[] = [
  ['letters of other widths are others', ".normalize('NFKC')\n    .toLowerCase()", '.toLowerCase()'],
  ['capitals are other letters', '    .toLowerCase()\n', ''],
  ['signs that are dropped make another name', ".replace(ignorable, '')", ''],
  ['a capital I with a dot is another letter', ".replaceAll('i\\u0307', 'i')", ''],
  ['a small i without a dot is another letter', ".replaceAll('\\u0131', 'i')", ''],
  ['a stream makes another name', ".replace(/(?<=.):.*$/, '')", ''],
  ['signs that compose when another is gone are others', "    .normalize('NFKC');\n}", ';\n}'],
  ['dots and blanks behind make another name', ".replace(/[. ]+$/, '')", ''],
  [
    'short names are other names',
    "return longName(folded) ?? (folded === '' ? name : folded);",
    "void longName; return folded === '' ? name : folded;",
  ],
  ['short names have no end', '~\\d+(?:\\.\\w{0,3})?$/', '~\\d+$/'],
  [
    'short names are those of git only',
    "['.git', ...protectedFolders, ...protectedFiles].find(isMeant)",
    "['.git'].find(isMeant)",
  ],
  ...['.vscode', '.idea', '.claude', '.cursor', '.codex', '.roo', '.devcontainer'].map(word),
  ...['.gitmodules', '.gitconfig', '.mcp.json', '.roomodes', '.rooignore', '.envrc', '.ripgreprc'].map(
    fileWord,
  ),
  ...['.bashrc', '.bash_profile', '.bash_login', '.bash_logout', '.bash_aliases', '.kshrc'].map(fileWord),
  ...['.tcshrc', '.zshrc', '.zshenv', '.zprofile', '.zlogin', '.zlogout', '.mkshrc', '.yashrc'].map(fileWord),
  ...['.xonshrc', '.xprofile', '.xinitrc', '.xsessionrc'].map(fileWord),
  ['.inputrc is not protected', " .inputrc '", " '"],
  ['.profile is not protected', "'.profile ", "'"],
  ['.cshrc is not protected', ' .cshrc ', ' '],
  ['.login is not protected', ' .login ', ' '],
  ['.logout is not protected', ' .logout ', ' '],
  ['.shrc is not protected', ' .shrc ', ' '],
  ['.pam_environment is not protected', "'.pam_environment'", "''"],
  ...['fish', 'nushell', 'powershell', 'xonsh'].map((shell): Off => [
    `what ${shell} runs first is not protected`,
    `'.config/${shell}'`,
    `'.config/${shell}-'`,
  ]),
  ["git's configuration is not protected", "'config config.worktree", "'config.worktree"],
  ["a work tree's configuration is not protected", 'config.worktree hooks', 'hooks'],
  ...['hooks', 'modules', 'worktrees'].map((name): Off => [
    `${name} of git are not protected`,
    ` ${name} `,
    ' ',
  ]),
  ['the common folder of git is not protected', ' commondir ', ' '],
  ['the link of a work tree is not protected', " gitdir '", " '"],
  ['attributes of git are not protected', "'info/attributes ", "'"],
  ['borrowed objects are not protected', ' objects/info/alternates ', ' '],
  ['borrowed objects of other machines are not protected', " objects/info/http-alternates'", "'"],
  ['.git itself is not protected', "return path === '' || protectedInGit", 'return protectedInGit'],
  [
    'what is below a protected folder is not',
    'path === entry || path.startsWith(`${entry}/`)',
    'path === entry',
  ],
  [
    'protected folders are so at the top only',
    'if (names.some((name) => protectedFolders.has(name))) return true;',
    "if (protectedFolders.has(names[0] ?? '')) return true;",
  ],
  [
    'protected files are so at the top only',
    "if (protectedFiles.has(names.at(-1) ?? '')) return true;",
    "if (names.length === 1 && protectedFiles.has(names.at(-1) ?? '')) return true;",
  ],
  [
    'git is protected at the top only',
    "name === '.git' && isProtectedInGit",
    "index === 0 && name === '.git' && isProtectedInGit",
  ],
  ['globs are compared letter for letter', 'picomatch(foldText(glob), ', 'picomatch(glob, '],
  ['hidden names are not denied', '{ dot: true, nonegate: true }', '{ nonegate: true }'],
  ['a glob may turn a policy round', '{ dot: true, nonegate: true }', '{ dot: true }'],
  [
    'denied names are compared letter for letter',
    "const names = relative.split('/').map(foldName);\n    const paths",
    "const names = relative.split('/');\n    const paths",
  ],
  [
    'what is in a denied folder is not denied',
    'paths.some((path) => matches(path))',
    "matches(names.join('/'))",
  ],
];

export const guardNames: readonly Mutant[] = [
  ...lexical.map(off('lexical.ts', tables)),
  ...names.map(off('name-rules.ts', tables)),
];
