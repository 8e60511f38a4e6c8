import { offIn, type Mutant, type Off } from './mutant.ts';

const source = 'packages/agents/src';
const test = (name: string): string => `packages/agents/test/${name}.test.ts`;

const off = (file: string, tests: readonly string[]) => offIn(`${source}/${file}`, tests.map(test));

/** Which tools a mode has, and what they get. */
const toolbox: readonly Off[] = [
  [
    'a mode has every tool',
    "return group === 'always' || grantOf(rights, group) !== undefined;",
    "return group === 'always' || grantOf(rights, group) !== null;",
  ],
  [
    'a tool that is not granted can be called',
    'const tool = granted.find((each) => each.name === name);',
    'const tool = set.find((each) => each.name === name);',
  ],
  [
    'commands write whatever the mode',
    "writes: canWrite ? command.writes : 'none'",
    "writes: canWrite ? command.writes : 'workspace'",
  ],
  [
    'tools edit past the pattern of the mode',
    'return narrowedFiles(ports.files, ports.root, rights);',
    'return narrowedFiles(ports.files, ports.root, { ...rights, grants: [] });',
  ],
];

/** What a pattern of names leaves of the files. */
const narrowed: readonly Off[] = [
  [
    'names are not asked for the pattern',
    'if (!matches(fileRegex, path)) throw',
    'if (fileRegex === path) throw',
  ],
  ['links are edited by a pattern', '    await checkNoLink(files, path);', '    void checkNoLink;'],
  [
    'a path is asked as it is spelt',
    'return posix.normalize(asked.startsWith(`${root}/`) ? asked.slice(root.length + 1) : asked);',
    'return asked.startsWith(`${root}/`) ? asked.slice(root.length + 1) : asked;',
  ],
  ['what is moved is not asked for the pattern', '      await check(from);\n', ''],
  ['where it is moved to is not asked for the pattern', '      await check(to);\n', ''],
  [
    'a link to a folder is removed by a pattern',
    '      await checkNoLink(files, relativePath(root, path));\n',
    '',
  ],
  ['a folder takes away what the pattern keeps', '      await checkAllBelow(files, path, check);\n', ''],
  ['a folder carries off what the pattern keeps', '      await checkAllBelow(files, from, check);\n', ''],
  [
    'lines are inserted past the pattern',
    'await check(path);\n      await files.insertContent',
    'await files.insertContent',
  ],
  [
    'blocks are applied past the pattern',
    'await check(path);\n      await files.applyDiff',
    'await files.applyDiff',
  ],
  ['a pattern thinks for ever', '{ timeout: patternMs }', '{ timeout: patternMs * 1000 }'],
];

/** Which commands may write. */
const groups: readonly Off[] = [
  ['commands write although only some files may be edited', ' && edit.fileRegex === undefined;', ';'],
  [
    'commands write although nothing may be edited',
    'edit !== undefined && edit.fileRegex',
    'edit?.fileRegex',
  ],
];

/** What agents of the protocol ask for. */
const acpFiles: readonly Off[] = [
  [
    'an agent that only reviews writes',
    "if (grantOf(rights, 'edit') === undefined) {",
    "if (grantOf(rights, 'edit') === null) {",
  ],
];
const acpTerminals: readonly Off[] = [
  [
    'a mode without commands has terminals',
    "if (grantOf(rights, 'command') === undefined)",
    "if (grantOf(rights, 'command') === null)",
  ],
  [
    'a terminal begins anywhere',
    'return await this.options.context.files.checkWorkingDirectory(cwd);',
    'return await Promise.resolve(cwd);',
  ],
  [
    'terminals without end',
    'if (this.terminals.size + this.beginning >= terminalsMax)',
    'if (this.terminals.size + this.beginning < 0)',
  ],
  ['terminals without end at once', 'this.terminals.size + this.beginning', 'this.terminals.size'],
  [
    'terminals outlive the turn',
    'for (const { child } of this.terminals.values()) child.kill(endedWords);',
    '',
  ],
  ['a terminal on its way outlives the turn', 'if (this.isOver) child.kill(endedWords);', ''],
];
const acpPermission: readonly Off[] = [
  [
    'leave to edit without the group',
    "if (grant === undefined) return lacks(rights, 'edit');",
    'if (grant === undefined) return byPaths(asked, intent, files);',
  ],
  [
    'leave to edit past the pattern',
    'const isNarrow = fileRegex !== undefined;',
    "const isNarrow = fileRegex === '';",
  ],
  [
    'leave to run without the group',
    "if (grantOf(rights, 'command') === undefined) return",
    "if (rights.slug === '') return",
  ],
  [
    'leave to take a mode that may more',
    'if (!mayCommandsWrite(rights)) return',
    "if (rights.slug === '' && !mayCommandsWrite(rights)) return",
  ],
  [
    'leave for tools of servers without the group',
    "if (grantOf(rights, 'mcp') === undefined && ",
    "if (grantOf(rights, 'mcp') === null && ",
  ],
  [
    'leave for the network',
    "isAllowed: false, reason: 'an attempt has no network'",
    "isAllowed: true, reason: 'an attempt has no network'",
  ],
  [
    'leave for any path',
    "if (!allowed && code !== 'E_NOT_FOUND')",
    "if (!allowed && code === 'E_NOT_FOUND')",
  ],
  [
    'a diff names what it changes in vain',
    "each.type === 'diff' ? [each.path] : []",
    "each.type === 'diff' ? [] : []",
  ],
];

/** Which mode an agent has. */
const modes: readonly Off[] = [
  [
    'a mode of the repository widens its role',
    'return { ...found, grants: narrowed(found.grants, grantsOf(role)) };',
    'void narrowed; void grantsOf; return found;',
  ],
  ['an agent takes the mode of another role', 'if (own !== undefined && own !== role)', 'if (own === null)'],
  ["the worker's mode is chosen by hand", "if (slug === 'worker')", "if (slug === '')"],
];

/** The defences of the tools that our own loop and agents of the protocol are given, in front of the guard. */
export const agentTools: readonly Mutant[] = [
  ...toolbox.map(off('tools/toolbox.ts', ['tools'])),
  ...narrowed.map(off('tools/narrowed-files.ts', ['tools'])),
  ...groups.map(off('tools/tool-groups.ts', ['tools'])),
  ...acpFiles.map(off('acp/acp-files.ts', ['acp-services'])),
  ...acpTerminals.map(off('acp/acp-terminals.ts', ['acp-services', 'acp-terminals'])),
  ...acpPermission.map(off('acp/acp-permission.ts', ['acp-services'])),
  ...modes.map(off('modes/choose-mode.ts', ['modes'])),
];
