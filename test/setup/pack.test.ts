import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scenario } from '../scenarios/harness.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const packer = join(root, 'tools/program/pack.mjs');

const plan = `version: 1
name: hello
tasks:
  - id: greet
    instructions: Write a greeting
    workspace: greetings
    review: { specializations: [security] }
    executor: { kind: command, run: ['mkdir -p greetings && echo hello > greetings/hello.txt'] }
`;

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** The tarball, unpacked below the libraries that npm would have installed with it. */
describe('the tarball of `npm run pack`', () => {
  let made: Scenario;
  let folder: string;
  let file: string;
  beforeAll(() => {
    made = new Scenario({
      'plan.yaml': plan,
      'weak.js': "import vm from 'vm';\nexport const run = (text) => eval(text);\n",
    });
    const into = join(made.folder, 'packed');
    const said = execFileSync(process.execPath, [packer, into], { cwd: made.folder, encoding: 'utf8' });
    file = /wrote (.+\.tgz)/.exec(said)?.[1] ?? '';
    const cache = join(root, 'node_modules/.cache');
    mkdirSync(cache, { recursive: true });
    folder = mkdtempSync(join(cache, 'switchyard-packed-'));
    execFileSync('tar', ['xzf', file, '-C', folder, '--strip-components=1']);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await made.close();
  });

  const manifest = (): Manifest => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  const switchyard = (...args: string[]) =>
    made.start(process.execPath, [join(folder, 'bin/switchyard.mjs'), ...args]).ended;

  it('is named as the README says, and pins every library', () => {
    const { version, dependencies } = manifest();
    expect(file).toBe(join(made.folder, 'packed', `switchyard-${version}.tgz`));
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`./switchyard-${version}.tgz`);
    const pinned = Object.values(dependencies).filter((range) => /^\d+\.\d+\.\d+$/.test(range));
    expect(pinned).toHaveLength(Object.keys(dependencies).length);
    expect(dependencies).toHaveProperty('zod');
  });

  it('holds no path of the machine that packed it', () => {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    expect(files.length).toBeGreaterThan(50);
    for (const { parentPath, name } of files)
      expect(readFileSync(join(parentPath, name), 'utf8').includes(root), name).toBe(false);
  });

  it('runs a plan with daemons, sandbox and review of its own', async () => {
    const { code, stdout, stderr } = await switchyard('run', 'plan.yaml');
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/completed: 1 of 1 tasks completed/);
    expect(stdout).toMatch(/greet .*security/);
  });

  it('reviews a folder with its rules', async () => {
    const { code, stdout, stderr } = await switchyard('review');
    expect(code, stdout + stderr).toBe(22);
    expect(stdout).toMatch(/ast-grep\/no-eval/);
  });
});
