import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { commitId, isPassed, type CommitId } from '@switchyard/protocol';
import {
  layerMounts,
  openLayers,
  operatorRegistries,
  takeReceipts,
  type Checkout,
  type Layer,
  type ReceiptsRequest,
} from '@switchyard/receipts';
import { silentLogger, systemClock } from '@switchyard/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plainSandbox } from './plain-sandbox.ts';

let root = '';
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'switchyard-receipts-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

const commit = (digit: string): CommitId => commitId.parse(digit.repeat(40));
const signal = new AbortController().signal;

/** Commits are lists of files; a checkout writes them. */
function checkoutOf(commits: Record<string, Record<string, string>>): Checkout & { count: () => number } {
  let count = 0;
  const checkout = (id: CommitId, folder: string): Promise<void> => {
    count += 1;
    mkdirSync(folder, { recursive: true });
    for (const [path, text] of Object.entries(commits[id[0] ?? ''] ?? {})) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      if (text.startsWith('-> ')) symlinkSync(text.slice(3), join(folder, path));
      else writeFileSync(join(folder, path), text);
    }
    return Promise.resolve();
  };
  return Object.assign(checkout, { count: () => count });
}

function request(extra: Partial<ReceiptsRequest>): ReceiptsRequest {
  return {
    commit: commit('a'),
    checkout: checkoutOf({ a: { 'file.txt': 'hello' } }),
    folder: join(root, 'checkout'),
    commands: [],
    layer: undefined,
    include: undefined,
    scratch: [],
    sandbox: plainSandbox(),
    timeoutMs: 10_000,
    env: {},
    clock: systemClock,
    signal,
    ...extra,
  };
}
const command = (line: string) => ({ criterion: `it: ${line}`, command: line });

describe('receipts', () => {
  it('prove each command on a fresh checkout, also after one failed, and leave nothing behind', async () => {
    const commands = [
      command('cat file.txt; touch made'),
      command('echo no >&2; exit 3'),
      command('ls made'),
    ];
    const receipts = await takeReceipts(request({ commands }));
    expect(receipts.map((receipt) => [receipt.criterion, receipt.exitCode, receipt.outputTail])).toEqual([
      ['it: cat file.txt; touch made', 0, 'hello'],
      ['it: echo no >&2; exit 3', 3, 'no\n'],
      ['it: ls made', 0, 'made\n'],
    ]);
    expect(receipts.map(isPassed)).toEqual([true, false, true]);
    expect(receipts[0]?.commit).toBe(commit('a'));
    expect(readdirSync(root)).toEqual([]);
  });

  it('share one time-out and say so', async () => {
    const receipts = await takeReceipts(
      request({ commands: [command('sleep 5'), command('sleep 5')], timeoutMs: 300 }),
    );
    expect(receipts.map((receipt) => receipt.ended)).toEqual(['timed-out', 'timed-out']);
  });

  it('have the included files, never over the commit and never through a link of it', async () => {
    const outside = join(root, 'outside');
    mkdirSync(outside);
    const checkout = checkoutOf({
      a: { 'file.txt': 'hello', link: `-> ${outside}` },
      b: { 'file.txt': 'other', '.env.test': 'KEY=1' },
    });
    const [receipt] = await takeReceipts(
      request({ checkout, include: commit('b'), commands: [command('cat file.txt .env.test')] }),
    );
    expect(receipt?.outputTail).toBe('helloKEY=1');
    expect(readdirSync(outside)).toEqual([]);
  });

  it('stop when they are aborted', async () => {
    const controller = new AbortController();
    const commands = [command('true'), command('true')];
    const taking = takeReceipts(
      request({
        commands,
        signal: controller.signal,
        onCommand: () => controller.abort(new Error('enough')),
      }),
    );
    await expect(taking).rejects.toThrow('enough');
    expect(existsSync(join(root, 'checkout'))).toBe(false);
  });
});

describe('a dependency layer', () => {
  const files = { 'package.json': '{}', 'src/a.ts': 'x', 'packages/p/package.json': '{}' };
  const setup = {
    run: [
      'mkdir -p node_modules/dep packages/p/node_modules/q && echo 1 > node_modules/dep/index.js',
      'echo x >> log',
    ],
    network: [],
  };
  const open = (sandbox = plainSandbox()) =>
    openLayers({ folder: join(root, 'layers'), sandbox, clock: systemClock, logger: silentLogger() });

  it('holds the topmost paths that the set-up made, and is built once', async () => {
    const checkout = checkoutOf({ a: files, b: { ...files, 'src/a.ts': 'changed' } });
    const sandbox = plainSandbox();
    const layers = open(sandbox);
    const layer = await layers.ensure({ setup, commit: commit('a'), checkout, signal });
    expect(layer.entries).toEqual(['log', 'node_modules', 'packages/p/node_modules']);
    expect(readFileSync(join(layer.folder, 'files/node_modules/dep/index.js'), 'utf8')).toBe('1\n');
    expect(await layers.ensure({ setup, commit: commit('a'), checkout, signal })).toEqual(layer);
    expect(checkout.count(), 'a known commit needs no checkout').toBe(1);
    const again = await open(sandbox).ensure({ setup, commit: commit('b'), checkout, signal });
    expect(again, 'no manifest has changed').toEqual(layer);
    expect(sandbox.commands).toHaveLength(2);
    expect(readdirSync(join(root, 'layers'))).toEqual([layer.key]);
  });

  it("on trial is nobody else's: refused it is gone, kept it is everybody's", async () => {
    const poisoned = { run: ['sh make.sh'], network: [] };
    const made = (text: string) => `mkdir -p node_modules && echo ${text} > node_modules/tool`;
    const changed = { ...files, 'package.json': '{"version":"2"}' };
    const checkout = checkoutOf({
      a: { ...files, 'make.sh': made('old') },
      b: { ...changed, 'make.sh': made('poison') },
      c: { ...changed, 'make.sh': made('good') },
    });
    const layers = open();
    const request = { setup: poisoned, accepted: commit('a'), checkout, signal };
    const toolOf = (layer: Layer) => readFileSync(join(layer.folder, 'files/node_modules/tool'), 'utf8');
    const refused = await layers.onTrial({ ...request, commit: commit('b') });
    expect(toolOf(refused.layer)).toBe('poison\n');
    await refused.end(false);
    expect(readdirSync(join(root, 'layers'))).toEqual([]);
    const kept = await layers.onTrial({ ...request, commit: commit('c') });
    expect(toolOf(kept.layer)).toBe('good\n');
    await kept.end(true);
    expect(readdirSync(join(root, 'layers'))).toEqual([kept.layer.key]);
    expect(toolOf(await layers.ensure({ ...request, commit: commit('b') }))).toBe('good\n');
  });

  it('on trial is built from what is accepted, where the manifests are the same', async () => {
    const setup = { run: ['mkdir node_modules && cp who node_modules/who'], network: [] };
    const checkout = checkoutOf({ a: { ...files, who: 'accepted' }, b: { ...files, who: 'candidate' } });
    const trial = await open().onTrial({
      setup,
      commit: commit('b'),
      accepted: commit('a'),
      checkout,
      signal,
    });
    expect(readFileSync(join(trial.layer.folder, 'files/node_modules/who'), 'utf8')).toBe('accepted');
    await trial.end(false);
    expect(readdirSync(join(root, 'layers')), "it is not the candidate's").toEqual([trial.layer.key]);
  });

  it('is another one for other untracked files that belong to the plan', async () => {
    const setup = { run: ['mkdir node_modules && cp .npmrc node_modules/used'], network: [] };
    const checkout = checkoutOf({ a: files, b: { '.npmrc': 'one' }, c: { '.npmrc': 'two' } });
    const layers = open();
    for (const [digit, text] of [
      ['b', 'one'],
      ['c', 'two'],
    ] as const) {
      const layer = await layers.ensure({
        setup,
        commit: commit('a'),
        include: commit(digit),
        checkout,
        signal,
      });
      expect(readFileSync(join(layer.folder, 'files/node_modules/used'), 'utf8')).toBe(text);
    }
  });

  it('takes away what a build left whose process was killed, and no other', async () => {
    const { pid } = spawnSync('true');
    const [killed, going] = [`.build-${pid}-1`, `.build-${process.ppid}-1`];
    for (const name of [killed, going]) mkdirSync(join(root, 'layers', name, 'tree'), { recursive: true });
    const layer = await open(plainSandbox()).ensure({
      setup,
      commit: commit('a'),
      checkout: checkoutOf({ a: files }),
      signal,
    });
    expect(readdirSync(join(root, 'layers')).toSorted()).toEqual([going, layer.key].toSorted());
  });

  it('is another one for another manifest, another set-up or another lockfile', async () => {
    const checkout = checkoutOf({
      a: files,
      b: { ...files, 'package.json': '{"a":1}' },
      c: { ...files, 'packages/p/yarn.lock': '' },
    });
    const layers = open();
    const keys = new Set<string>();
    for (const digit of ['a', 'b', 'c'])
      keys.add((await layers.ensure({ setup, commit: commit(digit), checkout, signal })).key);
    keys.add(
      (await layers.ensure({ setup: { ...setup, network: ['x'] }, commit: commit('a'), checkout, signal }))
        .key,
    );
    expect(keys.size).toBe(4);
  });

  it('is built by one of many who ask at once', async () => {
    const checkout = checkoutOf({ a: files });
    const sandbox = plainSandbox();
    const asked = [open(sandbox), open(sandbox), open(sandbox)].map((layers) =>
      layers.ensure({ setup, commit: commit('a'), checkout, signal }),
    );
    const [first, ...others] = await Promise.all(asked);
    for (const other of others) expect(other).toEqual(first);
    expect(sandbox.commands).toHaveLength(2);
  });

  it('fails with the output of the set-up, and leaves nothing behind', async () => {
    const bad = { run: ['echo broken; exit 4'], network: [] };
    const ensuring = open().ensure({
      setup: bad,
      commit: commit('a'),
      checkout: checkoutOf({ a: files }),
      signal,
    });
    await expect(ensuring).rejects.toMatchObject({
      code: 'E_SETUP_FAILED',
      message: expect.stringContaining('exit code 4 (it has no network') as string,
      details: { outputTail: 'broken\n' },
    });
    expect(readdirSync(join(root, 'layers'))).toEqual([]);
  });

  it('has the network only when the plan names one', async () => {
    const sandbox = plainSandbox();
    const layers = openLayers({
      folder: join(root, 'layers'),
      sandbox,
      clock: systemClock,
      logger: silentLogger(),
      networkEnv: { npm_config_registry: 'http://10.0.0.1:4873/' },
      registries: ['10.0.0.1:4873'],
    });
    const checkout = checkoutOf({ a: files });
    await layers.ensure({ setup: { run: ['true'], network: [] }, commit: commit('a'), checkout, signal });
    for (const network of [['example.org:8443'], ['registry', 'example.org']])
      await layers.ensure({ setup: { run: ['true'], network }, commit: commit('a'), checkout, signal });
    const registry = 'http://10.0.0.1:4873/';
    expect(sandbox.commands.map(({ network, env }) => [network, env['npm_config_registry']])).toEqual([
      ['none', undefined],
      [{ allow: ['example.org:8443'], operator: [] }, registry],
      [
        {
          allow: expect.arrayContaining(['example.org', 'registry.npmjs.org', 'pypi.org']) as string[],
          operator: ['10.0.0.1:4873'],
        },
        registry,
      ],
    ]);
  });

  it('whose set-up asked for a place that the plan does not allow says which', async () => {
    const sandbox = plainSandbox();
    const run: typeof sandbox.run = async (command) => ({
      ...(await sandbox.run(command)),
      ...(command.network !== 'none' && { refusedHosts: ['github.com:443'] }),
    });
    const ensuring = open({ ...sandbox, run }).ensure({
      setup: { run: ['exit 1'], network: ['registry'] },
      commit: commit('a'),
      checkout: checkoutOf({ a: files }),
      signal,
    });
    await expect(ensuring).rejects.toThrow(
      'it asked for github.com:443, which `setup.network` in the plan does not allow',
    );
  });

  it('is mounted read-only with private places for caches', () => {
    const layer = { key: 'k', folder: '/layers/k', entries: ['node_modules', 'vendor'] };
    expect(
      layerMounts(layer, '/t', ['vendor/tmp', '**/dist', 'node_modules/.cache', 'vendor/../etc']),
    ).toEqual([
      { kind: 'read', source: '/layers/k/files/node_modules', target: '/t/node_modules' },
      { kind: 'scratch', target: '/t/node_modules/.cache' },
      { kind: 'scratch', target: '/t/node_modules/.vite' },
      { kind: 'scratch', target: '/t/node_modules/.vite-temp' },
      { kind: 'read', source: '/layers/k/files/vendor', target: '/t/vendor' },
      { kind: 'scratch', target: '/t/vendor/tmp' },
    ]);
  });
});

describe("the operator's registries", () => {
  it('are those of the environment and of the npm settings, with their ports, and no token', () => {
    writeFileSync(
      join(root, '.npmrc'),
      'registry=http://10.1.1.1:4873/\n@ours:registry = "https://npm.example.org/x/"\n//npm.example.org/:_authToken=SECRET\n',
    );
    const found = operatorRegistries({ HOME: root, PIP_INDEX_URL: 'https://py.example.org/simple' });
    expect(found).toEqual(
      expect.arrayContaining([
        'py.example.org:443',
        '10.1.1.1:4873',
        'npm.example.org:443',
        'registry.npmjs.org:443',
      ]),
    );
    expect(found.join()).not.toContain('SECRET');
  });
});
