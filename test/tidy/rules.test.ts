import { describe, expect, it } from 'vitest';
import { declaredImports, noCycles } from '../../tools/tidy/dependencies.ts';
import { doors } from '../../tools/tidy/doors.ts';
import { fileNames, forbidden } from '../../tools/tidy/forbidden.ts';
import { layers } from '../../tools/tidy/layers.ts';
import { messageTable } from '../../tools/tidy/message-table.ts';
import type { Rule } from '../../tools/tidy/tree.ts';
import { walls } from '../../tools/tidy/walls.ts';
import { lockFile, machinePaths, targets, topLevelNames } from '../../tools/tidy/workspace.ts';

/** A small house in order; each case breaks one thing in it. */
const house: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({ name: 'switchyard', devDependencies: { vitest: '1.0.0' } }),
  'packages/protocol/package.json': manifest('protocol', 'contract', ['zod']),
  'packages/protocol/src/index.ts': "export { registry } from './registry.ts';\n",
  'packages/protocol/src/registry.ts': 'export const registry = { hello: up(1), done: down(2) };\n',
  'packages/plan/package.json': manifest('plan', 'core', ['@switchyard/protocol']),
  'packages/plan/src/index.ts': "export { readPlan } from './read-plan.ts';\n",
  'packages/plan/src/read-plan.ts':
    "import { registry } from '@switchyard/protocol';\nexport const readPlan = registry;\n",
  'packages/store/package.json': manifest('store', 'adapter', ['@switchyard/protocol']),
  'packages/store/src/index.ts': "import { join } from 'node:path';\nexport const file = join('a');\n",
  'packages/store/test/store.test.ts':
    "import { it } from 'vitest';\nimport { fakeDisk } from '@switchyard/testkit';\nit('keeps', fakeDisk);\n",
  'packages/testkit/package.json': manifest('testkit', 'test', ['@switchyard/store']),
  'packages/testkit/src/index.ts': 'export const fakeDisk = () => undefined;\n',
  'apps/worker/package.json': manifest('worker', 'daemon', ['@switchyard/store']),
  'apps/worker/src/daemon.ts': "link.send('hello', {});\nhub.send(peer, 'done', {});\n",
};

function manifest(short: string, layer: string, dependencies: readonly string[]): string {
  const isApp = layer === 'daemon' || layer === 'edge';
  const targetNames = short === 'store' ? { typecheck: {}, test: {} } : { typecheck: {} };
  return JSON.stringify({
    name: `@switchyard/${short}`,
    ...(isApp ? {} : { exports: { '.': './src/index.ts' } }),
    dependencies: Object.fromEntries(dependencies.map((name) => [name, '1.0.0'])),
    nx: { tags: [`layer:${layer}`], targets: targetNames },
  });
}

interface Case {
  readonly name: string;
  readonly rule: Rule;
  readonly files: Readonly<Record<string, string>>;
  /** Part of the one problem's text. */
  readonly says: string;
  readonly at?: string;
}

const importing = (specifier: string): string => `import { x } from '${specifier}';\nexport const y = x;\n`;
const lines = (count: number): string => 'x();\n'.repeat(count);
const lockOf = (packages: object): string => JSON.stringify({ packages });

const cases: readonly Case[] = [
  {
    name: 'an import up the layers',
    rule: layers,
    files: { 'packages/protocol/src/codec.ts': importing('@switchyard/plan') },
    says: '@switchyard/protocol (contract) may not import @switchyard/plan (core)',
  },
  {
    name: 'a dependency on a sibling',
    rule: layers,
    files: {
      'packages/guard/package.json': manifest('guard', 'adapter', ['@switchyard/store']),
    },
    says: '@switchyard/guard (adapter) may not import @switchyard/store (adapter)',
  },
  {
    name: 'the testkit outside tests',
    rule: layers,
    files: { 'packages/store/src/disk.ts': importing('@switchyard/testkit') },
    says: 'may not import @switchyard/testkit (test)',
  },
  {
    name: 'an app that imports an app',
    rule: layers,
    files: { 'apps/cli/package.json': manifest('cli', 'edge', ['@switchyard/worker']) },
    says: '@switchyard/cli (edge) may not import @switchyard/worker (daemon)',
  },
  {
    name: 'a package without a layer',
    rule: layers,
    files: { 'packages/new/package.json': '{"name":"@switchyard/new"}' },
    says: 'has no layer',
  },
  {
    name: 'a second door',
    rule: doors,
    files: {
      'packages/plan/package.json': JSON.stringify({
        name: '@switchyard/plan',
        exports: { '.': './src/index.ts', './inner': './src/read-plan.ts' },
      }),
    },
    says: 'has another door',
  },
  {
    name: 'an import around a door',
    rule: doors,
    files: { 'apps/worker/src/deep.ts': importing('@switchyard/store/src/index.ts') },
    says: 'goes around a door',
  },
  {
    name: 'a relative import into another package',
    rule: doors,
    files: { 'apps/worker/src/deep.ts': importing('../../../packages/store/src/index.ts') },
    says: 'reaches into @switchyard/store',
  },
  {
    name: 'a star export',
    rule: doors,
    files: { 'packages/plan/src/all.ts': "export * from './read-plan.ts';\n" },
    says: 'export *',
  },
  {
    name: 'a default export',
    rule: doors,
    files: { 'packages/plan/src/one.ts': 'export default function () {}\n' },
    says: 'default export',
  },
  {
    name: 'an import that nobody declares',
    rule: declaredImports,
    files: { 'packages/store/src/sql.ts': importing('libsql') },
    says: '@switchyard/store does not declare libsql',
  },
  {
    name: 'a test that imports what nobody declares',
    rule: declaredImports,
    files: { 'packages/store/test/more.test.ts': importing('left-pad') },
    says: 'declares left-pad',
  },
  {
    name: 'Node in a pure package',
    rule: declaredImports,
    files: { 'packages/plan/src/disk.ts': importing('node:fs') },
    says: 'is pure and may not import node:fs',
  },
  {
    name: 'a dynamic import that nobody declares',
    rule: declaredImports,
    files: { 'packages/store/src/late.ts': "export const late = () => import('pg');\n" },
    says: 'does not declare pg',
  },
  {
    name: 'a circle of imports',
    rule: noCycles,
    files: {
      'packages/plan/src/a.ts': importing('./b.ts'),
      'packages/plan/src/b.ts': importing('./c.ts'),
      'packages/plan/src/c.ts': importing('./a.ts'),
    },
    says: 'packages/plan/src/a.ts → packages/plan/src/b.ts → packages/plan/src/c.ts → packages/plan/src/a.ts',
  },
  {
    name: 'a file over the wall',
    rule: walls,
    files: { 'packages/plan/src/long.ts': lines(401) },
    says: '401 lines, over 400',
  },
  {
    name: 'a function over the wall',
    rule: walls,
    files: { 'packages/plan/src/long.ts': `function f() {\n${lines(69)}}\n` },
    says: 'a function of 71 lines, over 70',
  },
  {
    name: 'five parameters',
    rule: walls,
    files: { 'packages/plan/src/wide.ts': 'const f = (a, b, c, d, e) => a;\n' },
    says: '5 parameters',
  },
  {
    name: 'any',
    rule: forbidden,
    files: { 'packages/plan/src/loose.ts': 'let x: any;\n' },
    says: 'any',
  },
  {
    name: 'a claim that something is there',
    rule: forbidden,
    files: { 'packages/plan/src/loose.ts': 'const x = list[0]!;\n' },
    says: '`!`',
  },
  {
    name: 'a switched-off type check',
    rule: forbidden,
    files: { 'packages/plan/src/loose.ts': 'f(\n  // @ts-expect-error: later\n  1,\n);\n' },
    says: 'switches the type check off',
    at: 'packages/plan/src/loose.ts:2',
  },
  {
    name: 'console in a package',
    rule: forbidden,
    files: { 'packages/store/src/loud.ts': "console.log('x');\n" },
    says: 'console',
  },
  {
    name: 'process.env outside the configuration',
    rule: forbidden,
    files: { 'packages/store/src/read.ts': "const x = process.env['X'];\n" },
    says: 'process.env',
  },
  {
    name: 'a marker for later',
    rule: forbidden,
    files: { 'packages/store/src/later.ts': `function f() {\n  // ${'TO'}DO: more\n}\n` },
    says: 'a marker for later',
    at: 'packages/store/src/later.ts:2',
  },
  {
    name: 'a camel-cased file',
    rule: fileNames,
    files: { 'packages/plan/src/readPlan.ts': '' },
    says: 'kebab-case',
  },
  {
    name: 'a file named by nothing',
    rule: fileNames,
    files: { 'packages/plan/src/utils.ts': '' },
    says: '"utils" does not say',
  },
  {
    name: 'a message that the table does not have',
    rule: messageTable,
    files: { 'apps/worker/src/more.ts': "link.request('run-sumbit', {});\n" },
    says: 'the message table has no run-sumbit',
  },
  {
    name: 'a message that nobody speaks',
    rule: messageTable,
    files: {
      'packages/protocol/src/registry.ts':
        "export const registry = { hello: up(1), done: down(2), 'run-dead': up(3) };\n",
    },
    says: 'nobody sends or handles run-dead',
  },
  {
    name: 'a stranger at the top level',
    rule: topLevelNames,
    files: { 'scripts/build.mjs': '' },
    says: 'does not belong',
  },
  {
    name: 'tests without a target',
    rule: targets,
    files: { 'packages/plan/test/plan.test.ts': '' },
    says: 'lacks the target test',
  },
  {
    name: 'a lock that does not know a package',
    rule: lockFile,
    files: { 'packages/new/package.json': manifest('new', 'core', []) },
    says: 'does not know packages/new',
  },
  {
    name: 'a lock without a platform',
    rule: lockFile,
    files: {
      'package-lock.json': lockOf({
        ...lockedHouse(),
        'node_modules/fast': { version: '1.0.0', optionalDependencies: { 'fast-darwin-arm64': '1.0.0' } },
      }),
    },
    says: 'lacks node_modules/fast-darwin-arm64',
  },
  {
    name: 'a lock that names a registry',
    rule: lockFile,
    files: {
      'package-lock.json': `${lockOf({ ...lockedHouse(), 'node_modules/zod': { version: '4.0.0' } }).slice(0, -1)}, "resolved": "https://registry.example/zod.tgz" }`,
    },
    says: 'address of a registry',
  },
  {
    name: 'a path of the machine',
    rule: machinePaths(['/srv/checkouts/switchyard']),
    files: { 'README.md': 'cd /srv/checkouts/switchyard\n' },
    says: "names this machine's",
  },
];

function lockedHouse(): Record<string, object> {
  const folders = Object.keys(house).filter((path) => /^(packages|apps)\/[^/]+\/package\.json$/.test(path));
  return Object.fromEntries(
    folders.flatMap((path) => {
      const folder = path.replace('/package.json', '');
      const name = `@switchyard/${folder.split('/')[1] ?? ''}`;
      return [
        [folder, { name }],
        [`node_modules/${name}`, { resolved: folder, link: true }],
      ];
    }),
  );
}

const tidy = { ...house, 'package-lock.json': lockOf(lockedHouse()) };
const asTree = (files: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(Object.entries(files));

describe('a tidy rule', () => {
  it.each(cases)('finds nothing in a house in order ($name)', ({ rule }) => {
    expect(rule(asTree(tidy))).toEqual([]);
  });
  it.each(cases)('finds $name', ({ rule, files, says, at }) => {
    const problems = rule(asTree({ ...tidy, ...files }));
    expect(problems).toHaveLength(1);
    expect(problems[0]?.text).toContain(says);
    if (at !== undefined) expect(`${problems[0]?.path}:${problems[0]?.line}`).toBe(at);
  });
});
