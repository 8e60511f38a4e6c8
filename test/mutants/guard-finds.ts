import { offIn, type Mutant, type Off } from './mutant.ts';

const source = 'packages/guard/src';
const test = (name: string): string => `packages/guard/test/${name}.test.ts`;
const tests = ['path-guard', 'beneath', 'policy', 'searches'].map(test);
const hinted = [test('ripgrep')];
const told = [...tests, test('told-files')];
const steps = test('between-steps');
const audits = ['audit', 'audit-rules', 'snapshot-parts'].map(test);

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

const readings: readonly Off[] = [
  [
    'an entry that comes in two pieces is lost',
    'this.#fields = text.slice(this.#takeAll(text));',
    'this.#takeAll(text);',
  ],
  [
    'a name that comes in two pieces is two',
    'this.#bytes = bytes.subarray(end);',
    'this.#bytes = Buffer.alloc(0);',
  ],
  [
    'names that are no UTF-8 are one',
    "isUtf8(field) ? field.toString('utf8') : escapeBytes(field)",
    "field.toString('utf8') + (escapeBytes === undefined ? '' : '')",
  ],
];
const snapshots: readonly Off[] = [
  ['nothing is left out of a snapshot', 'const prune = [...exclude].flatMap', 'const prune = [].flatMap'],
  ['what is left out is a glob', "return path.replace(/[\\\\*?[\\]]/g, '\\\\$&');", 'return path;'],
  [
    'what was found below a link counts',
    'return isTrue ? found : findParts(wholeTree, search);',
    'return parts === wholeTree || isTrue ? found : found;',
  ],
  [
    'a root that is a link elsewhere is followed later',
    'cwd: `/proc/self/fd/${descriptor}`,',
    "cwd: '/etc',",
  ],
];
const rules: readonly Off[] = [
  [
    'what was made is not seen',
    "if (was === undefined) return 'created';",
    'if (was === undefined) return undefined;',
  ],
  [
    'what was removed is not seen',
    '.filter(([path]) => !entries.has(path))',
    '.filter(([path]) => path === entries.get(path)?.target)',
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
    "return was.changed !== now.changed && was.links === now.links ? 'changed' : undefined;",
    'return undefined;',
  ],
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
  [
    'new repositories are fine',
    "if (isGitFolder(snapshot, path, entry)) found.push('git-dir');",
    'void isGitFolder;',
  ],
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
  ['a bare repository is none', "|| (entry.kind === 'folder' && holdsRepository(snapshot, `${path}/`))", ''],
  [
    'the root may be a bare repository',
    "holdsRepository(snapshot, '') ? [{ kind: 'git-dir', path: '.' }] : []",
    '[]',
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
  [
    'readable folders are outside',
    '[snapshot.root, ...(policy.readable ?? [])].some',
    '[snapshot.root].some',
  ],
  [
    'what was suspicious before is new',
    'return entry !== undefined && suspicions(before, { path, entry, policy }).includes(kind);',
    'return entry !== undefined && kind === path;',
  ],
  ['a repository that was there is new', "if (path === '.') return holdsRepository(before, '');", ''],
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
  ['an attempt answers for what is thrown away', '!isDiscarded(change.path) && !isAllowed', '!isAllowed'],
  ['what is suspicious in a scratch place matters', 'if (isDiscarded(path)) return false;', ''],
  [
    'names of one file in the workspace are suspicious',
    "if (kind === 'hard-link') return leadsElsewhere(after.entries.get(path), names);",
    'void names;',
  ],
  [
    'names of files elsewhere are fine',
    'return entry !== undefined && entry.links > (names.get(entry.inode) ?? 0);',
    'return entry !== undefined && names.size < 0;',
  ],
  [
    'folders on the way to a workspace are outside',
    "return change === 'created' && kind === 'folder' && workspace.some((place) => isBelow(place, path));",
    "return change === 'removed' && kind === 'link';",
  ],
  [
    'files beside the way to a workspace are on it',
    "change === 'created' && kind === 'folder' && workspace.some",
    "kind === 'folder' && workspace.some",
  ],
  [
    'every workspace gives away what is protected',
    '  return path === place || isProtected(place);',
    '  return path !== place || isProtected(place);',
  ],
  [
    'no plan can give away what is protected',
    "return kind !== 'protected-changed' || !workspace.some((place) => namesProtected(place, path));",
    'void namesProtected; return true;',
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
  ...readings.map(off('snapshot-reader.ts', audits)),
  ...snapshots.map(off('snapshot-find.ts', audits)),
  ...rules.map(off('audit.ts', audits)),
  ...attempts.map(off('attempt-audit.ts', audits)),
  ...refusals.map(off('guard-error.ts', told)),
];
