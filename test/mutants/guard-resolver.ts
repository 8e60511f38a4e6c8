import { offIn, type Mutant, type Off } from './mutant.ts';

const source = 'packages/guard/src';
const test = (name: string): string => `packages/guard/test/${name}.test.ts`;
const tests = ['path-guard', 'beneath', 'roots', 'policy', 'attempt-path-policy'].map(test);
const steps = test('between-steps');
const told = test('told-files');

const off = (file: string) => offIn(`${source}/${file}`, tests);

/** From a path to a descriptor. */
const resolver: readonly Off[] = [
  [
    'a plain path counts as opened wherever the kernel ends',
    'const place = name === `${first.path}/${asked}` ? placeOf(roots, name) : undefined;',
    'const place = { root: first, path: name, relative: asked };',
  ],
  ['links are followed by the kernel', 'openSync(path, O_PATH | O_NOFOLLOW);', 'openSync(path, O_PATH);'],
  [
    'links without end',
    "if (state.links > linksMax) throw new GuardError('E_SYMLINK_LOOP', 'Too many links', { path: state.asked });",
    "if (state.links > 4000) throw new GuardError('E_IO', 'Too many links', { path: state.asked });",
  ],
  [
    'a path that is absolute begins at the first root',
    '  throw outsideError(roots, asked);\n}\n\n/** Goes as far',
    '  if (roots[0] !== undefined) return { root: roots[0], names };\n  throw outsideError(roots, asked);\n}\n\n/** Goes as far',
  ],
  [
    'a workspace that was moved away is not told from outside',
    '  checkRoots(roots, asked); // a workspace that was moved away explains more than "outside"\n',
    '',
  ],
  [
    'the step up from a root is a step like others',
    "if (state.above !== undefined || (name === '..' && leaveRoot(state))) {",
    'void leaveRoot; if (state.above !== undefined) {',
  ],
  [
    'above the roots every name is a way',
    'if (!state.roots.some((each) => isBelow(each.path, path))) throw outsideError(state.roots, state.asked);\n    state.above = path;',
    'state.above = path;',
  ],
  [
    'a path may end above the roots',
    'if (state.above !== undefined) throw outsideError(state.roots, state.asked);\n  return undefined;',
    'return undefined;',
  ],
  [
    'a step up is not looked at',
    "if (name === '..') standOfDescriptor(state.roots, state.at, state.asked);",
    '',
    [told],
  ],
  [
    'a slash behind a file means nothing',
    'if (state.above === undefined && !fstatSync(state.at).isDirectory()) return',
    'if (state.links < 0) return',
  ],
  [
    'a slash behind what a link says means nothing',
    'state.todo.push(...namesOf(target).reverse());',
    "state.todo.push(...namesOf(target).filter((name) => name !== '.').reverse());",
  ],
  [
    'behind what is missing a path may climb out',
    'if (depth < 0) throw outsideError(roots, asked);',
    'void depth;',
  ],
  [
    'a link to nothing is nothing',
    'const isDangling = state.todo.length >= state.linkFloor;',
    'const isDangling = false as boolean;',
  ],
  [
    'what is denied and not there is said to be not there',
    "    checkName(scope, [place.path, ...names].join('/'), asked);",
    '    void scope;',
  ],
  [
    'facts are asked after the name',
    '  const stat = fstatSync(descriptor);\n  const name = nameOf(descriptor);\n',
    '  const name = nameOf(descriptor);\n  const stat = fstatSync(descriptor);\n',
    [steps],
  ],
  [
    'facts are asked after the place',
    '  const stat = fstatSync(at);\n  const place = placeOfDescriptor(roots, at, asked);\n',
    '  const place = placeOfDescriptor(roots, at, asked);\n  const stat = fstatSync(at);\n',
    [steps],
  ],
  [
    'where the walk ends is not looked at',
    '  const place = placeOfDescriptor(roots, at, asked);\n  return { kind',
    '  const place = { root: roots[0]!, path: `${roots[0]!.path}/${asked}`, relative: asked };\n  return { kind',
    [steps],
  ],
  [
    'an error is told before the place of it',
    '    standOfDescriptor(state.roots, state.at, state.asked);\n    throw asGuardError(error, state.asked);',
    '    throw asGuardError(error, state.asked);',
    [told],
  ],
];

/** Which folders are roots, and which root holds a place. */
const roots: readonly Off[] = [
  [
    'a guard without roots',
    "if (pinned.length === 0) throw new GuardError('E_BAD_ROOT', 'A guard needs a root', { path: '' });",
    '',
  ],
  ['a root may be relative', '!isAbsolute(path) || ', ''],
  ['a root may be named by a system folder', ' || isSystemPlace(normalize(path))', ''],
  ['a root may lie in a system folder', ' || isSystemPlace(path) || shared', ' || shared'],
  ['a root may be right below /', 'return isShallow || ', 'void isShallow; return '],
  ['a root may hold the home', 'isBelow(homedir(), path) || ', ''],
  ['a root may be a folder of many', ' || shared.test(path)', ' && shared.source !== path'],
  ['a root may be a file', 'O_PATH | constants.O_DIRECTORY', 'O_PATH'],
  [
    'a root that was replaced is the root',
    'if (nameOf(root.descriptor) !== root.path)\n      throw',
    'if (roots.length > 1000)\n      throw',
    [steps],
  ],
  [
    'a folder that begins like a root is the root',
    "path.startsWith(root.path) &&\n      (path.length === root.path.length || path[root.path.length] === '/') &&",
    'path.startsWith(root.path) &&',
    [told],
  ],
  [
    'the outermost root decides',
    'root.path.length > best.path.length)',
    'root.path.length < best.path.length)',
  ],
  ['a refusal does not name the roots', '    roots: allowedPaths(roots),\n', ''],
];

/** What the policy says of a place. */
const access: readonly Off[] = [
  [
    'only the innermost root denies',
    'return roots.some(\n    (root) => isBelow(path, root.path) &&',
    'return roots.slice(-1).some(\n    (root) => isBelow(path, root.path) &&',
  ],
  [
    'a name that the kernel marks as deleted is another',
    'return relative.endsWith(deletedMark) && rule(relative.slice(0, -deletedMark.length));',
    'return false;',
    [told],
  ],
  [
    'roots may be taken away',
    'if (roots.some((root) => root.path === place.path) || isDeniedPath(scope, place.path)) return true;',
    'if (isDeniedPath(scope, place.path)) return true;',
  ],
  [
    'denied files may be taken away with their folder',
    'if (roots.some((root) => root.path === place.path) || isDeniedPath(scope, place.path)) return true;',
    'if (roots.some((root) => root.path === place.path)) return true;',
  ],
  [
    'protected files may be taken away with their folder',
    'return access.protect && isProtected(place.relative);',
    'return false;',
  ],
  [
    'what is denied may be read',
    '  checkName(scope, place.path, asked);\n  if (!scope.access.hasDenied || !stat',
    '  if (!scope.access.hasDenied || !stat',
  ],
  [
    'a second name of a denied file may be read',
    'if (scope.access.deniedInodes().has(inodeKey(stat))) throw denied(asked);',
    '',
  ],
  ['a second name that is gone is the only one', ' && !place.path.endsWith(deletedMark)', '', [steps]],
  [
    'read roots may be written',
    'if (!isWritable(place))',
    'if (!isWritable(place) && asked === place.path.slice(0, 0))',
  ],
  [
    'what is denied may be written',
    '{ path: asked });\n  checkName(scope, place.path, asked);\n  if (scope.access.protect',
    '{ path: asked });\n  if (scope.access.protect',
  ],
  [
    'what is protected may be written',
    'if (scope.access.protect && holds(isProtected, place.relative))',
    'if (scope.access.protect && !place.root.write)',
  ],
  [
    'a folder is a file',
    "if (stat.isDirectory()) throw new GuardError('E_IS_DIRECTORY', 'A directory is there', { path: asked });",
    '',
  ],
  [
    'pipes are files',
    "if (!stat.isFile()) throw new GuardError('E_NOT_REGULAR', 'Not a regular file', { path: asked });",
    '',
  ],
  ['a file is a folder', '  if (!stat.isDirectory())\n    throw', '  if (stat.isFIFO())\n    throw'],
];

/** What of a root may be read and written. */
const parts: readonly Off[] = [
  [
    'all of a root may be read',
    'return reads === undefined || reads.some((each) => isBelow(path, each)) ? place : undefined;',
    'void reads; return place;',
  ],
  [
    'every name is on the way to what may be read',
    'return reads === undefined || reads.some((each) => isBelow(path, each) || isBelow(each, path));',
    'void reads; return true;',
  ],
  [
    'a refusal names the root, not what of it may be read',
    'return roots.flatMap((root) => root.reads ?? [root.path]);',
    'return roots.map((root) => root.path);',
  ],
];
const ways: readonly Off[] = [
  [
    'names are looked at that lead to nothing that may be read',
    '  checkWay(state, name);\n',
    '  void checkWay;\n',
  ],
  [
    'what is missing is told also where nothing may be read',
    'if (placeOf(roots, join(place.path, ...names)) === undefined) throw outsideError(roots, asked);',
    'void join;',
  ],
];
const written: readonly Off[] = [
  [
    'all of a root may be written',
    'return root.write && (root.writes === undefined || root.writes.some((each) => isBelow(path, each)));',
    'void path; return root.write;',
  ],
];
const attempts: readonly Off[] = [
  [
    'an attempt reads the whole checkout',
    "const readable = reads === 'all' ? undefined :",
    'const readable = reads ? undefined :',
  ],
  ['an attempt writes the whole checkout', '    writes: workspace,\n', ''],
  ['a reviewer may write', 'write: workspace.length > 0,', 'write: true,'],
  [
    'an attempt reads what is denied',
    '  return { roots: [root], denyRead };',
    '  return { roots: [root], denyRead: denyRead.slice(0, 0) };',
  ],
];

const door: readonly Off[] = [
  [
    'other systems are taken for Linux',
    "if (process.platform !== 'linux')",
    "if (process.platform === 'aix')",
  ],
  [
    'words are not looked at',
    'const asked = checkLexical(path, lexical);',
    'void checkLexical; void lexical; const asked = String(path);',
  ],
  [
    'answers of the system are no refusals',
    '      throw asGuardError(error, asked);\n    }\n  };\n  const perform',
    '      throw error;\n    }\n  };\n  const perform',
  ],
  [
    'a closed guard works on',
    "if (!isOpen) throw new GuardError('E_WORKSPACE_MOVED', 'The guard is closed', { path: String(path) });",
    '',
  ],
  [
    'a closed guard closes what is another by now',
    'if (isOpen) for (const root of roots)',
    'for (const root of roots)',
  ],
  [
    'anything is the content of a file',
    "  throw new GuardError('E_PATH_INVALID', 'The content of a file is a text or bytes', { path });",
    '  return Buffer.from(String(content) + path);',
  ],
  [
    'what was found is read whatever the policy says',
    '    checkReadable(scope, found.place, { asked, stat: found.stat });\n    return work(found);',
    '    return work(found);',
  ],
  [
    'what was found is searched whatever the policy says',
    '    checkReadable(scope, found.place, { asked, stat: found.stat });\n    return await',
    '    return await',
  ],
  [
    'denied entries are listed',
    'if (isDeniedPath(scope, `${found.place.path}/${relative}`)) return false;',
    '',
  ],
  ['lists without end', "return entries.length >= entriesMax ? 'stop' : true;", 'return true;', [told]],
  [
    'commands run in read roots',
    'if (isWritable(found.place)) return found.place.path;',
    'if (found.place.path) return found.place.path;',
  ],
  ['commands run in files', '  checkFolder(found.stat, asked);\n', ''],
  [
    'denied files in other roots have other names',
    'for (const root of scope.roots) {\n    walkTree',
    'for (const root of scope.roots.slice(0, 1)) {\n    walkTree',
  ],
];

const explained: readonly Off[] = [
  [
    'nothing is explained by words',
    "const asked = checkLexical(path, { platform: 'linux', root: scope.roots[0]?.path ?? '/' });",
    'void checkLexical; const asked = String(path);',
  ],
  ['an explanation forgets the policy', '    checkReadable(scope, place, { asked, stat });\n', ''],
  ['an explanation forgets the kind', '    checkKind(stat);\n', '    void checkKind;\n'],
  [
    'an explanation forgets the limit',
    'checkSize(checkRegular(stat, asked).size, asked)',
    'void checkRegular(stat, asked)',
  ],
  [
    'writing is explained as reading',
    '  write: checkWrite,',
    '  write: (scope, asked) => checkThere(scope, asked, () => undefined),',
  ],
  [
    'changing is explained as reading',
    '  change: checkSlot,',
    '  change: (scope, asked) => checkThere(scope, asked, () => undefined),',
  ],
  ['editing is explained as writing', '  edit: checkChange,', '  edit: checkWrite,'],
];

export const guardResolver: readonly Mutant[] = [
  ...resolver.map(off('resolve.ts')),
  ...roots.map(off('pinned-roots.ts')),
  ...access.map(off('path-access.ts')),
  ...parts.map(off('pinned-roots.ts')),
  ...ways.map(off('resolve.ts')),
  ...written.map(off('path-access.ts')),
  ...attempts.map(off('attempt-path-policy.ts')),
  ...door.map(off('path-guard.ts')),
  ...explained.map(off('explain.ts')),
];
