import { spawn } from 'node:child_process';
import {
  cpSync,
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
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const worker = 'apps/worker/src/main.ts';

/** A checkout of its own: the sources, and a `node_modules` that finds what is installed. */
let checkout: string;
beforeAll(() => {
  checkout = mkdtempSync(join(tmpdir(), 'sy-program-'));
  for (const name of ['apps', 'packages', 'tools/program', 'tsconfig.base.json', 'package.json'])
    cpSync(join(root, name), join(checkout, name), { recursive: true });
  mkdirSync(join(checkout, 'node_modules'));
  for (const name of readdirSync(join(root, 'node_modules')))
    if (!name.startsWith('.'))
      symlinkSync(join(root, 'node_modules', name), join(checkout, 'node_modules', name));
});
afterAll(() => rmSync(checkout, { recursive: true, force: true }));

const cache = (): string => join(checkout, 'node_modules', '.cache', 'switchyard');
const copies = (): string[] => (existsSync(cache()) ? readdirSync(cache()).sort() : []);

async function run(...args: string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [join(checkout, 'tools/program/run.mjs'), ...args], {
    cwd: tmpdir(),
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, text };
}

describe('the compiled copy of the programs', () => {
  it('is made once by whoever comes first, also when two come at once', async () => {
    const both = await Promise.all([run(worker, '--help'), run(worker, '--help')]);
    for (const { code, text } of both) expect({ code, text }).toMatchObject({ code: 0 });
    expect(both[0]?.text).toContain('Usage: switchyard worker [flags]');
    expect(both[1]?.text).toBe(both[0]?.text);
    expect(copies()).toHaveLength(1);
  });

  it('is made anew when a source has changed', async () => {
    const [before] = copies();
    const file = join(checkout, worker);
    writeFileSync(file, readFileSync(file, 'utf8').replace('worker [flags]', 'worker [changed]'));
    expect((await run(worker, '--help')).text).toContain('Usage: switchyard worker [changed]');
    expect(copies()).toHaveLength(2);
    expect(copies()).toContain(before);
  });

  it('runs with no process of the compiler beside it', async () => {
    const probe = 'apps/probe/src/main.ts';
    mkdirSync(join(checkout, 'apps/probe/src'), { recursive: true });
    const text = `
      import { readFileSync } from 'node:fs';
      const children = () => readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8');
      for (let looks = 0; children() !== '' && looks < 200; looks += 1)
        await new Promise((resolve) => setTimeout(resolve, 20));
      process.stdout.write('children:' + children());`;
    writeFileSync(join(checkout, probe), text);
    expect(await run(probe)).toEqual({ code: 0, text: 'children:' });
    rmSync(join(checkout, 'apps/probe'), { recursive: true });
  });

  it('leaves nothing behind when the sources cannot be compiled, and says where they are wrong', async () => {
    const before = copies();
    const file = join(checkout, 'apps/worker/src/broken.ts');
    writeFileSync(join(checkout, worker), "import './broken.ts';\n");
    writeFileSync(file, 'const = 1;\n');
    const { code, text } = await run(worker, '--help');
    expect(code).not.toBe(0);
    expect(text).toContain('apps/worker/src/broken.ts:1:6');
    expect(copies()).toEqual(before);
  });
});
