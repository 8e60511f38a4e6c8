import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sandboxedRun } from '@switchyard/analyzers';
import { openSandbox, type Sandbox } from '@switchyard/guard';
import { silentLogger, systemClock } from '@switchyard/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let sandbox: Sandbox;
let folder = '';
beforeAll(async () => {
  sandbox = await openSandbox({ mode: 'auto', logger: silentLogger(), clock: systemClock });
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'switchyard-review-')));
  for (const name of ['tree', 'engine', 'outside']) mkdirSync(join(folder, name));
  for (const name of ['tree/a', 'engine/b', 'outside/secret']) writeFileSync(join(folder, name), name);
});
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

/** A line of a reviewer's engine, in the checkout. */
const run = (
  line: string,
  options?: { readonly readPaths?: readonly string[]; readonly timeoutMs?: number },
) => {
  const place = {
    root: join(folder, 'tree'),
    readPaths: [join(folder, 'engine')],
    signal: new AbortController().signal,
  };
  return sandboxedRun(sandbox, place)(
    ['sh', '-c', line],
    options?.readPaths?.[0] ?? join(folder, 'tree'),
    options,
  );
};

describe("a reviewer's command", () => {
  it('reads the checkout and its engine, and nothing else of the machine', async () => {
    expect((await run(`cat a ${folder}/engine/b; cat ${folder}/outside/secret`)).stdout).toBe(
      'tree/aengine/b',
    );
  });

  it('reads the copy of the checkout that it is given, which is in the temporary folder', async () => {
    const line = `cat secret; echo x > secret; cat secret ${folder}/tree/a`;
    expect((await run(line, { readPaths: [join(folder, 'outside')] })).stdout).toBe(
      'outside/secretoutside/secrettree/a',
    );
  });

  it('writes nowhere but in its own temporary folders', async () => {
    const places = [
      '.',
      '..',
      join(folder, 'engine'),
      join(folder, 'outside'),
      '/',
      '/usr',
      '/etc',
      '/dev',
      '/proc',
      '/run',
    ];
    const tries = places.map(
      (place) =>
        `(mkdir -p ${place}; echo x > ${place}/new; rm -f ${place}/a ${place}/b; mkdir ${place}/made)`,
    );
    const changes = [
      'echo x > a',
      'echo x >> a',
      'chmod 777 a',
      'touch -d 2001-01-01 a',
      'mv a z',
      'ln a z',
      'ln -s a z',
      'rm -rf .',
    ];
    await run([...tries, ...changes].map((line) => `${line} 2>/dev/null`).join('; '));
    expect(readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()).toEqual([
      'engine',
      'engine/b',
      'outside',
      'outside/secret',
      'tree',
      'tree/a',
    ]);
    expect((await run('cat a; stat -c %a%Y a')).stdout).not.toMatch(/777|978307200/);
    expect((await run('echo mine > "$TMPDIR/t" && echo mine > ~/t && cat "$TMPDIR/t" ~/t')).stdout).toBe(
      'mine\nmine\n',
    );
    expect((await run('cat "$TMPDIR/t" ~/t')).stdout).toBe('');
    expect(existsSync('/tmp/t')).toBe(false);
  });

  it('says why it was ended, where it did not end by itself', async () => {
    expect(await run('sleep 60', { timeoutMs: 300 })).toMatchObject({
      exitCode: 124,
      reason: 'it ran longer than 300 ms',
    });
    expect((await run('exit 124')).reason).toBe(undefined);
  });

  it('reaches no network', async () => {
    let reached = 0;
    const server = createServer(() => (reached += 1));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const script = `require('net').connect(${port}, '127.0.0.1').on('error', (e) => console.log(e.code)).on('connect', () => console.log('IN'))`;
    const { stdout } = await run(`node -e "${script}"`);
    server.close();
    expect({ stdout, reached }).toEqual({ stdout: 'ECONNREFUSED\n', reached: 0 });
  });
});
