import { offIn, type Mutant, type Off } from './mutant.ts';

const source = 'packages/guard/src';
const test = (name: string): string => `packages/guard/test/${name}.test.ts`;

const off = (file: string, ...tests: readonly string[]) => offIn(`${source}/${file}`, tests.map(test));

/** What a command is kept from in its own roots. */
const held: readonly Off[] = [
  ['denied files are seen by commands', "if (isDeniedPath(scope, path)) return 'hide';", ''],
  [
    'protected files are written by commands',
    "return isFolder && foldName(path.slice(path.lastIndexOf('/') + 1)) === '.git' ? 'keep' : 'read';",
    "return isFolder && foldName(path.slice(path.lastIndexOf('/') + 1)) === '.git' ? 'keep' : undefined;",
  ],
  [
    'a folder takes what is held in it away',
    '      ...foldersAbove(masks),\n',
    '      ...foldersAbove(masks.slice(masks.length)),\n',
  ],
  [
    'another name of what is held is free',
    'if (kind !== undefined) masks.push({ path, kind, root });',
    'void kind, path, root;',
  ],
  [
    'a name that is only protected shows what is denied by another',
    "if (mask !== undefined && inode !== undefined && kinds.get(inode) !== 'hide') kinds.set(inode, mask);",
    'if (mask !== undefined && inode !== undefined && !kinds.has(inode)) kinds.set(inode, mask);',
  ],
  ['links are masked', "if (kind !== 'file' && kind !== 'folder') return true;", ''],
  ['masks without end', 'if (masks.length > masksMax)', 'if (masks.length < 0)'],
  [
    'what is held is mounted before what holds it',
    'return mounts.sort((a, b) => compare(a.path, b.path)).map(asMount);',
    'return mounts.sort((a, b) => compare(b.path, a.path)).map(asMount);',
  ],
];

/** Where a command may connect to. */
const hosts: readonly Off[] = [
  ['any port of a place that is allowed', '      rule.ports.includes(port) &&\n', '      port > 0 &&\n'],
  [
    'the end of a name is not compared from a dot on',
    'host.endsWith(rule.host.slice(1))',
    'host.endsWith(rule.host.slice(2))',
  ],
  [
    'every name may lead to private addresses',
    "isIP(host) !== 0 || host === 'localhost'",
    "isIP(host) !== 0 || host !== ''",
  ],
  ['the loopback is public', "  ['127.0.0.0', 8],\n", ''],
  ['what clouds answer at is public', "  ['169.254.0.0', 16],", "  ['169.254.0.0', 32],"],
  ['an address in an address is public', "  ['::ffff:0:0', 96],\n", ''],
];
const egress: readonly Off[] = [
  [
    'a private address is reached through the proxy of the operator',
    'if (isIP(host) !== 0 && isPrivateAddress(host) && !rule.mayBePrivate)',
    'if (isIP(host) < 0 && isPrivateAddress(host) && !rule.mayBePrivate)',
  ],
  [
    'a name is looked up twice',
    'host: route.address, port: route.port, path',
    'host: url.hostname, port: route.port, path',
  ],
  ['what goes through does not end with the process', 'for (const socket of sockets) socket.destroy();', ''],
  [
    'a place that nobody allows',
    'const rule = findRule(this.#options.rules, host, port);',
    'const rule = findRule(this.#options.rules, host, port) ?? this.#options.rules[0];',
  ],
];

/** The ways out of one process. */
const ways: readonly Off[] = [
  [
    'a plan opens the network of the machine',
    'allow.map((text) => hostRule(text))',
    'allow.map((text) => hostRule(text, true))',
  ],
  ['two ways out share a port', 'ports.indexOf(port) !== index', 'ports.indexOf(port) > index'],
  ['a process sees the other sockets of its ways', '    source: path,\n', "    source: join(path, '..'),\n"],
  ['the socket of a proxy stays', 'rmSync(folder, { recursive: true, force: true });\n      },', '},'],
];
const turns: readonly Off[] = [
  [
    'mounts are set up while a command runs that could plant a link',
    'this.#isNeeded ? this.#othersIn(pinned.nestedIn) : []',
    'this.#isNeeded ? [] : this.#othersIn(pinned.nestedIn)',
  ],
  ['a turn is waited for without end', 'if (left <= 0)', 'if (left === undefined)'],
];
const files: readonly Off[] = [
  [
    'what a command is told lies where a name leads to it',
    'rmSync(folder, { recursive: true, force: true });',
    '',
  ],
  [
    'a command can write what the next is told',
    "${this.#descriptors.get(name)}`, 'r')",
    "${this.#descriptors.get(name)}`, 'r+')",
  ],
];

/** What stands beside bubblewrap. What covers inherited descriptors is tried by a process of its own, which no mutant reaches. */
const nodes: readonly Off[] = [
  [
    'devices of the machine can be changed',
    "'--dev-bind', join(own, name), `/dev/${name}`",
    "'--dev-bind', `/dev/${name}`, `/dev/${name}`",
  ],
];
const watched: readonly Off[] = [
  [
    'a fork bomb goes on',
    'if (pressedMs >= pressureMaxMs || count > watch.processesMax * 1.5)',
    'if (count < 0)',
  ],
];
const entered: readonly Off[] = [
  [
    'a command is in no control group',
    'const enter = doors.map((door) => `echo 0 >&${door}`)',
    "const enter = doors.map(() => ':')",
  ],
  ['a command has the doors of its group', '${door}>&-`', '${door}>&${door}`'],
];
const environment: readonly Off[] = [
  ['the home folder inside is that of the daemon', 'HOME: home,', "HOME: process.env['HOME'] ?? home,"],
];
const left: readonly Off[] = [
  ['what a command left behind lives on', 'return killMarked(mark) > 0;', 'return false;'],
  ['commands share a home', "mkdtempSync(join(homes, 'of-'))", 'homes'],
];
const watchers: readonly Off[] = [
  ['a tree that cannot be watched is waited for', ".once('error', () => resolve())", ''],
  ['a flood of folders is watched', 'newFolders <= (options.newFoldersMax ?? Infinity)', 'newFolders >= 0'],
];
const disks: readonly Mutant[] = [
  {
    name: "a disk that runs full is nobody's trouble",
    file: 'packages/guard/src/disk-watch.ts',
    search: 'if (disks.length > 0) cancel = clock.after(pollMs, look);',
    replacement: '',
    tests: ['apps/worker/test/full-disk.test.ts'],
  },
];
const buffers: readonly Off[] = [
  ['output without end', 'return this.#total > this.#headMax + this.#tailMax;', 'return this.#total < 0;'],
];
const unusable: readonly Off[] = [
  ['any program is bubblewrap', "'--version'))?.[0];", "'--version'))?.[0] ?? '0.8.0';"],
  ['a bubblewrap that is too old', 'if (missing.length > 0)', 'if (missing.length < 0)'],
];

/** Further defences of the process sandbox: each part that stands beside bubblewrap. */
export const guardParts: readonly Mutant[] = [
  ...held.map(off('guarded-mounts.ts', 'guarded-mounts')),
  ...hosts.map(off('allowed-hosts.ts', 'allowed-hosts')),
  ...egress.map(off('egress-proxy.ts', 'network', 'egress-proxy')),
  ...ways.map(off('network-access.ts', 'network', 'network-access')),
  ...turns.map(off('setup-turns.ts', 'setup-turns')),
  ...files.map(off('private-files.ts', 'private-files')),
  ...nodes.map(off('device-nodes.ts', 'sandbox')),
  ...watched.map(off('process-count.ts', 'sandbox-limits')),
  ...entered.map(off('group-entry.ts', 'sandbox-limits')),
  ...environment.map(off('clean-environment.ts', 'sandbox')),
  ...left.map(off('plain-sandbox.ts', 'plain-sandbox')),
  ...watchers.map(off('watch-tree.ts', 'audit')),
  ...disks,
  ...buffers.map(off('output-buffer.ts', 'sandbox-limits')),
  ...unusable.map(off('bubblewrap-program.ts', 'unavailable')),
];
