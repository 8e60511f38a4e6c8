import { offIn, type Mutant, type Off } from './mutant.ts';

const source = 'packages/guard/src';
const test = (name: string): string => `packages/guard/test/${name}.test.ts`;
const tests = ['path-guard', 'beneath', 'policy', 'searches'].map(test);
const hinted = [test('ripgrep')];
const told = [...tests, test('told-files')];
const steps = test('between-steps');
const audits = ['audit', 'audit-rules'].map(test);
const listings = [test('listing-differences')];
const parts = [test('tree-parts')];
const judged = [...audits, test('violations.property')];

const off = (file: string, by: readonly string[] = tests) => offIn(`${source}/${file}`, by);

const searches: readonly Off[] = [
  ['denied files are searched', '    checkReadable(scope, { ...found.place, path }, { asked, stat });\n', ''],
  [
    'a file that had this name for a moment is searched',
    'if (scope.access.hasDenied && nameOf(descriptor) !== path) return;',
    'void nameOf;',
    [steps],
  ],
  [
    'hits without end',
    "pattern.find(content.toString('utf8'), hitsMax - hits.length)",
    "pattern.find(content.toString('utf8'), Infinity)",
  ],
  ['lines without end', 'text.slice(0, lineShownMax)', "text + (lineShownMax > 0 ? '' : '-')"],
  ['binaries are searched', 'if (content.subarray(0, 8192).includes(0)) return;', ''],
  ['what is no file is read', "  if (kind !== 'file') return;\n", '  void kind;\n'],
  ['what is no file is searched', '    checkRegular(stat, asked);\n    const relative', '    const relative'],
];
const patterns: readonly Off[] = [
  ['patterns of any length', ' || pattern.length > patternLengthMax)', ')'],
  ['a pattern may take for ever', '{ timeout: Math.max(1, Math.ceil(ms)) }', '{ timeout: 15_000 + ms }'],
  [
    'a pattern that explodes is an error of ours',
    '    if (!isTimeout) throw error;\n',
    '    void isTimeout; throw error;\n',
  ],
  [
    'a pattern that is none is an error of ours',
    'if (!(error instanceof SyntaxError)) throw error;',
    'throw error;',
  ],
  [
    'each file has its time, whatever the search took',
    'leftMs -= performance.now() - startedAt;',
    'void startedAt;',
  ],
];
const walks: readonly Off[] = [
  ['a walk goes through links', 'O_PATH | constants.O_NOFOLLOW', 'O_PATH'],
  ['a walk goes down without end', ' && depth < depthMax', ''],
  [
    'a folder that may not be read ends the walk',
    'if (!isPassedOver(error)) throw error;\n    return [];',
    'throw error;',
  ],
  [
    'an entry that is gone ends the walk',
    'if (!isPassedOver(error)) throw error;\n    return undefined;',
    'throw error;',
  ],
];
const hints: readonly Off[] = [
  [
    'ripgrep of the workspace is run',
    "const systemPrograms = ['/usr/bin/rg', '/usr/local/bin/rg', '/bin/rg'];",
    "const systemPrograms = ['./rg', '/usr/bin/rg'];",
  ],
  ['ripgrep reads a configuration', "'--no-config --no-ignore", "'--no-ignore"],
  ['ripgrep has the environment', "env: { LC_ALL: 'C' },", 'env: process.env,'],
  [
    'what ripgrep could not read has no hits',
    'resolve(code === 0 || code === 1 ?',
    'resolve(code !== null ?',
  ],
  ['ripgrep leaves out what is ignored', '--no-ignore --hidden', '--hidden'],
  ['ripgrep leaves out what is hidden', '--no-ignore --hidden', '--no-ignore'],
];

const records: readonly Off[] = [
  [
    'a target that looks like a path is one',
    'if (isFacts(bytes, before)) return recordAt(bytes, before);',
    'if (before >= 0) return recordAt(bytes, before);',
  ],
  ['a target that looks like a link is one', 'if (isFacts(bytes, at + 1)) yield at + 1;', 'yield at + 1;'],
  [
    'a record begins with the field that is looked at',
    'while (!isFacts(bytes, field)) field = fieldStart(bytes, field - 1);',
    'if (!isFacts(bytes, field)) field = fieldStart(bytes, field - 1);',
  ],
  ['the first record is of no kind', 'if (bytes.length > 0 && bytes[0] === facts[1]) yield 0;', ''],
  [
    'names that are no UTF-8 are one',
    "isUtf8(field) ? field.toString('utf8') : escapeBytes(field)",
    "field.toString('utf8') + (escapeBytes === undefined || isUtf8 === undefined ? '' : '')",
  ],
];
const differences: readonly Off[] = [
  [
    'another order is a difference',
    'const was = known.get(path);',
    'const was = path === undefined ? known.get(path) : undefined;',
  ],
  [
    'what is told late is not compared',
    'else if (!isSame([before, was], [after, now]))',
    'else if (was === now)',
  ],
  [
    'what is gone from the middle is not seen',
    'removed = new Map(known)',
    'removed = new Map<string, RecordPlace>()',
  ],
  [
    'what is not as it was is not seen',
    'if (!isSame([before, was], [after, now])) found.push(changed([before, was], [after, now]));\n    [a, b]',
    'if (isSame([before, was], [after, now])) found.push(changed([before, was], [after, now]));\n    [a, b]',
  ],
  [
    'what is not in both is passed over',
    'for (const at of recordsIn(after, b, nextB)) aside[1].push(at);',
    '',
  ],
];
const snapshots: readonly Off[] = [
  ['nothing is left out of a snapshot', 'const prune = [...exclude].flatMap', 'const prune = [].flatMap'],
  ['what is left out is a glob', "return path.replace(/[\\\\*?[\\]]/g, '\\\\$&');", 'return path;'],
  [
    'what was found below a link counts',
    'return record !== undefined && listing[record.at] === ',
    'return record !== undefined || listing[0] === ',
  ],
  [
    'what was cut short by a full disk is the whole',
    'return (await runInShell(linesFor(search, outputs))) === 0 ? readFiles(files()) : undefined;',
    'return (await runInShell(linesFor(search, outputs))) === null ? undefined : readFiles(files());',
  ],
  [
    'a find that still writes has lost its file',
    'wait "$p${index}" || code=1',
    'wait "$p${index}" || exit 1',
  ],
  [
    'a root that is a link elsewhere is followed later',
    '`cd ${own}/${search.descriptor} || exit 1`',
    "'cd /etc'",
  ],
];
const cuts: readonly Off[] = [
  ['what a tree is cut at is looked at by nobody', '[at, ...behind];', 'behind;'],
  ['folders on the way to the cut are not told', 'before: [...before, ...folder, ', 'before: [...before, '],
  ['folders on the way to the cut are gone into', 'shallow: [...shallow, ...folder],', 'shallow,'],
  [
    'what lies behind the deepest folder comes first',
    ', ...behind],\n  };',
    '].toReversed().concat(behind),\n  };',
  ],
  [
    'names that are no UTF-8 are handed on',
    "return names.some((name) => name.includes('\\uFFFD')) ? undefined : names;",
    'return names;',
  ],
  ['any number of names is handed on', ' + names.length > startsMax', ' < 0'],
  [
    'a folder on the way to the cut may be a link',
    'constants.O_DIRECTORY | constants.O_NOFOLLOW',
    'constants.O_DIRECTORY',
  ],
];
const changes: readonly Off[] = [
  [
    'what was made is not seen',
    "if (was === undefined) return 'created';",
    'if (was === undefined) return undefined;',
  ],
  [
    'what was removed is not seen',
    "if (now === undefined) return 'removed';",
    'if (now === undefined) return undefined;',
  ],
  [
    'another kind is no change',
    'if (was.kind !== now.kind || was.target !== now.target)',
    'if (was.target !== now.target)',
  ],
  [
    'another target is no change',
    'if (was.kind !== now.kind || was.target !== now.target)',
    'if (was.kind !== now.kind)',
  ],
  [
    'the mode of a folder does not matter',
    "return was.mode === now.mode ? undefined : 'mode-changed';",
    'return undefined;',
  ],
  ['the mode of a file does not matter', "if (was.mode !== now.mode) return 'mode-changed';", ''],
  ['a file in the place of another is the same', 'if (was.inode !== now.inode || was.size', 'if (was.size'],
  ['the size does not matter', ' || was.size !== now.size ||', ' ||'],
  [
    'the time of change does not matter',
    " || was.modified !== now.modified) return 'changed';",
    ") return 'changed';",
  ],
  [
    'who gives a file its old time back did nothing',
    "return was.changed === now.changed ? undefined : 'changed';",
    'return undefined;',
  ],
];
const suspicions: readonly Off[] = [
  [
    'links that lead out are fine',
    "if (entry.kind === 'link' && leadsOut(snapshot, suspect)) found.push('symlink-escape');",
    'void leadsOut;',
  ],
  ['second names are fine', "if (entry.kind === 'file' && entry.links > 1) found.push('hard-link');", ''],
  [
    'set-id bits are fine',
    "if (entry.kind === 'file' && (entry.mode & 0o6000) !== 0) found.push('set-id');",
    '',
  ],
  ['pipes and devices are fine', "if (entry.kind === 'other') found.push('special-file');", ''],
  ['new repositories are fine', "if (isGitName(path)) found.push('git-dir');", ''],
  [
    'a file named .git is fine',
    "if (entry.isPlain) return isGitName(path) ? ['git-dir'] : [];",
    'if (entry.isPlain) return [];',
  ],
  [
    '.git has one spelling',
    "name === '.git' || (/^\\W*g|~|[^ -~]/i.test(name) && foldName(name) === '.git')",
    "name === '.git' && foldName(name) === '.git'",
  ],
  [
    'a folder that borrows from a repository is none',
    "(holds('commondir') || (holds('objects') && holds('refs')))",
    "holds('objects') && holds('refs')",
  ],
  [
    'links behind links are not followed',
    'if (next?.target === undefined) continue;',
    'if (next?.target === undefined || links >= 0) continue;',
  ],
  ['links without end stay inside', 'if (links > 40) return true;', 'if (links > 40) return false;'],
  ['readable folders are outside', '[snapshot.root, ...readable].some', '[snapshot.root].some'],
];
const judgements: readonly Off[] = [
  ['the root may be a bare repository', "const folders = ['.'];", 'const folders: string[] = [];'],
  ['a bare repository is none', "!kinds.includes('git-dir')) folders", 'kinds.length > 9) folders'],
  ['a new repository is none', '[...found, ...newRepositories(comparison)]', 'found'],
  ['a repository that was there is new', ' && !holdsRepository(before, path)', ''],
  ['a repository is told twice', '!isGitName(path) && ', ''],
  ['what was suspicious before is new', 'if (!known.includes(kind)) found', 'if (known.length < 99) found'],
  [
    'a link leads where it led, whatever became of others',
    'if (!mayLeadElsewhere) return [];',
    'if (before !== after || mayLeadElsewhere) return [];',
  ],
  [
    'protected files may change',
    "if (isProtected(path)) events.push({ kind: 'protected-changed', path });",
    '',
  ],
  [
    'denied files may change',
    "if (isDenied(path)) events.push({ kind: 'denied-changed', path });",
    'void isDenied;',
  ],
];
const attempts: readonly Off[] = [
  [
    'an attempt may change everything',
    ".map(({ path }): AuditEvent => ({ kind: 'outside-workspace', path }));",
    ".slice(0, 0).map(({ path }): AuditEvent => ({ kind: 'outside-workspace', path }));",
  ],
  [
    'an attempt answers for what is thrown away',
    'changesAmong(differences).filter(({ path }) => !isDiscarded(path))',
    'changesAmong(differences)',
  ],
  ['what is suspicious in a scratch place matters', '!isDiscarded(path) && (kind', '(kind'],
  [
    'names of one file in the workspace are suspicious',
    "(kind !== 'hard-link' || isElsewhere(entry))",
    "(path !== '' || isElsewhere(entry))",
  ],
  [
    'names of files elsewhere are fine',
    'return entry !== undefined && entry.links > (names.get(entry.inode) ?? 0);',
    'return entry !== undefined && names.size < 0;',
  ],
  [
    'folders on the way to a workspace are outside',
    'return before.get(path) === undefined;',
    'return before.get(path) === null;',
  ],
  ['what is told twice is new', 'return before.get(path) === undefined;', 'return before !== undefined;'],
  [
    'files beside the way to a workspace are on it',
    "if (change !== 'created' || kind !== 'folder' || ",
    'if (',
  ],
  [
    'every workspace gives away what is protected',
    '  return path === place || isProtected(place);',
    '  return path !== place || isProtected(place);',
  ],
  [
    'no plan can give away what is protected',
    '({ path }) => !workspace.some((place) => namesProtected(place, path)),',
    '({ path }) => path !== namesProtected.name,',
  ],
];
const refusals: readonly Off[] = [
  [
    'a refusal says more than is good to read',
    'return path.length > 300 ? `${path.slice(0, 300)}...` : path;',
    'return path;',
  ],
  ['too many links are an error of the system', "  ELOOP: ['E_SYMLINK_LOOP', 'Too many links'],\n", ''],
  [
    'what the system refuses is an error like others',
    "  EACCES: ['E_ACCESS', 'The operating system says no'],\n",
    '',
  ],
  ['a refusal is wrapped in another', 'if (thrown instanceof GuardError) return thrown;', ''],
];

export const guardFinds: readonly Mutant[] = [
  ...searches.map(off('path-search.ts')),
  ...patterns.map(off('search-pattern.ts')),
  ...walks.map(off('tree-walk.ts', told)),
  ...hints.map(off('ripgrep.ts', hinted)),
  ...records.map(off('listing-record.ts', [...listings, ...audits])),
  ...differences.map(off('listing-differences.ts', listings)),
  ...snapshots.map(off('find-listing.ts', [...audits, ...parts])),
  ...cuts.map(off('tree-parts.ts', parts)),
  ...changes.map(off('changes.ts', audits)),
  ...suspicions.map(off('suspicions.ts', audits)),
  ...judgements.map(off('audit.ts', judged)),
  ...attempts.map(off('attempt-audit.ts', audits)),
  ...refusals.map(off('guard-error.ts', told)),
];
