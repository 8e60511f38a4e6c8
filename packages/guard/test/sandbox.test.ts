import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { shell, useSandbox, useScene } from './scene.ts';

const scene = useScene();
const held = useSandbox();
const run = (line: string, more: Parameters<typeof shell>[2] = {}) =>
  held.sandbox.run(shell(scene, line, more));

describe('a command in the sandbox does its work', () => {
  it('writes in the workspace as the user of the daemon', async () => {
    const result = await run('mkdir a && echo hi > a/b && cat a/b && pwd');
    expect(result).toMatchObject({
      exitCode: 0,
      ended: 'exited',
      output: `hi\n${scene.workspace}\n`,
      truncated: false,
    });
    expect(statSync(join(scene.workspace, 'a/b')).uid).toBe(process.getuid?.());
  });

  it('reads what it may read and no more', async () => {
    expect((await run(`cat ${scene.readable}/r.txt`)).output).toBe('READABLE');
    expect((await run(`echo x > ${scene.readable}/r.txt`)).exitCode).not.toBe(0);
    expect(readFileSync(join(scene.readable, 'r.txt'), 'utf8')).toBe('READABLE');
  });

  it('has node, npm, npx and git, also on files of the host', async () => {
    writeFileSync(join(scene.workspace, 'f'), 'x');
    const result = await run(
      'git init -q . && git status --short && node -p 6*7 && npm -v && npx --version && git commit -qm x --allow-empty && git log --format=%an',
    );
    expect(result.output).toMatch(/^\?\? f\n42\n\d+\.\d+\.\d+\n\d+\.\d+\.\d+\nagent\n$/);
  });

  it('gets its input, and gives its streams apart when asked', async () => {
    const result = await run('cat; echo no >&2', { stdin: Buffer.from('bytes'), separateStreams: true });
    expect(Buffer.from(result.stdout ?? []).toString()).toBe('bytes');
    expect(result.stderr).toBe('no\n');
  });

  it('shows its output as it comes', async () => {
    const chunks: string[] = [];
    await run('printf one; sleep 0.05; printf two >&2', { onOutput: (chunk) => chunks.push(chunk) });
    expect(chunks.join('|')).toBe('one|two');
  });

  it('can use its own loopback and /dev', async () => {
    const script = `const s=require('net').createServer(c=>c.end()).listen(0,'127.0.0.1',()=>require('net').connect(s.address().port).on('close',()=>{console.log('LOOP');process.exit()}))`;
    expect(
      (await run(`node -e "${script}"; head -c 2 /dev/urandom | wc -c; echo x > /dev/null && echo DEV`))
        .output,
    ).toBe('LOOP\n2\nDEV\n');
  });

  it('answers 127 for a program that is not there and 128 + signal for one that is killed', async () => {
    expect((await run('', { argv: ['no-such-program'] })).exitCode).toBe(127);
    expect((await run('kill -TERM $$')).exitCode).toBe(143);
  });
});

describe('a command in the sandbox does not get out', () => {
  it('sees nothing of the machine but the system', async () => {
    const result = await run(
      `cat ${scene.outside}/secret.txt /etc/shadow /root/.bashrc /proc/1/environ; ls /home /tmp ${scene.base} /var /srv 2>&1`,
    );
    expect(result.output).not.toContain('SECRET');
    expect(result.output).not.toContain('root:');
    expect((await run('ls /home')).output).toBe('agent\n');
  });

  it('writes nowhere else', async () => {
    const targets = [
      `${scene.outside}/new`,
      '/usr/new',
      '/etc/new',
      '/new',
      '/dev/new',
      '/proc/sys/kernel/hostname',
      '/proc/sys/vm/drop_caches',
      '/proc/self/oom_score_adj',
    ];
    for (const target of targets) expect((await run(`echo x > ${target}`)).exitCode, target).not.toBe(0);
    await run(`echo x > ${scene.base}/new; mkdir -p ${scene.outside}; echo x > ${scene.outside}/new`);
    expect(readdirSync(scene.base).sort()).toEqual(['outside', 'ro', 'ws']);
    expect(readdirSync(scene.outside)).toEqual(['secret.txt']);
  });

  it('does not follow a planted link out', async () => {
    symlinkSync(scene.outside, join(scene.workspace, 'out'));
    expect((await run('cat out/secret.txt; echo x > out/planted')).output).not.toContain('SECRET');
    expect(existsSync(join(scene.outside, 'planted'))).toBe(false);
  });

  it('has the clean environment and what the request gives, and none of the daemon', async () => {
    const names = (await run('env', { env: { GIVEN: 'yes' } })).output
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(names.filter(Boolean).sort()).toEqual([
      'GIVEN',
      'HOME',
      'LANG',
      'LOGNAME',
      'PATH',
      'PWD',
      'SHELL',
      'TERM',
      'TMPDIR',
      'USER',
    ]);
  });

  it('reaches no host by TCP, UDP or a socket in the abstract, and no vsock', async () => {
    let reached = 0;
    const abstract = createServer(() => (reached += 1)).listen(`\0guard-test-${process.pid}`);
    const tcp = createServer(() => (reached += 1));
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    const address = tcp.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const script = `const net=require('net');for(const to of [{port:${port},host:'127.0.0.1'},{path:'\\0guard-test-${process.pid}'}])net.connect(to).on('connect',()=>console.log('IN')).on('error',e=>console.log('blocked'))`;
    const result = await run(`node -e "${script}"`);
    tcp.close();
    abstract.close();
    expect(result.output).toBe('blocked\nblocked\n');
    expect(reached).toBe(0);
    const vsock = `python3 -c "import socket; socket.socket(40, 1)"`;
    expect((await run(vsock)).output).toMatch(/not supported|not found/);
  });

  it('holds no capability, gains none, and makes no namespace', async () => {
    const { output } = await run(
      'cat /proc/self/status; unshare -Ur true && echo NAMESPACE; mount -t tmpfs x /tmp && echo MOUNTED',
    );
    expect(output).toMatch(/CapEff:\s0+\n/);
    expect(output).toMatch(/NoNewPrivs:\s1\n/);
    expect(output).toMatch(/Seccomp:\s2\n/);
    expect(output).not.toMatch(/NAMESPACE|MOUNTED/);
  });

  it('inherits no descriptor of the daemon', async () => {
    const { output } = await run('for f in /proc/self/fd/*; do readlink $f; done');
    const leaked = output
      .split('\n')
      .filter(
        (line) =>
          line.startsWith('/') &&
          !/^\/(?:dev\/null|proc\/|tmp\/switchyard-guard-\S+\/empty \(deleted\))/.test(line),
      );
    expect(leaked).toEqual([]);
  });

  it('cannot signal the daemon or see another process', async () => {
    const { output } = await run(
      `kill -9 ${process.pid} 2>&1 || echo NO; kill -9 -1; ls /proc | grep -c '^[0-9]'`,
      { argv: ['bash', '-c', `kill -9 ${process.pid} 2>/dev/null || echo NO; ls /proc | grep -c '^[0-9]'`] },
    );
    const [signal, count] = output.trim().split('\n');
    expect(signal).toBe('NO');
    expect(Number(count)).toBeLessThan(9);
  });
});

describe('mounts', () => {
  it('nest in the order given: tree, workspace, layer, scratch', async () => {
    const tree = join(scene.base, 'tree');
    const layer = join(scene.base, 'layer');
    mkdirSync(join(tree, 'pkg'), { recursive: true });
    mkdirSync(layer);
    writeFileSync(join(layer, 'dep'), 'DEP');
    const result = await run(
      'cat node_modules/dep; echo no > node_modules/x; echo no > top; echo yes > pkg/y; echo tmp > pkg/cache/z; cat pkg/cache/z',
      {
        cwd: tree,
        mounts: [
          { kind: 'read', source: tree },
          { kind: 'write', source: join(tree, 'pkg') },
          { kind: 'read', source: layer, target: join(tree, 'node_modules') },
          { kind: 'scratch', target: join(tree, 'pkg/cache') },
        ],
      },
    );
    expect(result.output).toMatch(/^DEP[\s\S]*Read-only[\s\S]*Read-only[\s\S]*tmp\n$/);
    expect(readdirSync(join(tree, 'pkg')).sort()).toEqual(['cache', 'y']);
    expect(readdirSync(join(tree, 'pkg/cache'))).toEqual([]);
    expect(readdirSync(layer)).toEqual(['dep']);
  });

  it('hide files and folders, also from a rename of what is above', async () => {
    mkdirSync(join(scene.workspace, 'keys'));
    for (const name of ['.env', 'keys/k']) writeFileSync(join(scene.workspace, name), 'SECRET');
    const mounts = [
      { kind: 'write' as const, source: scene.workspace },
      { kind: 'hide' as const, target: join(scene.workspace, '.env') },
      { kind: 'hide' as const, target: join(scene.workspace, 'keys') },
      { kind: 'hide' as const, target: join(scene.workspace, 'absent') },
    ];
    const { output } = await run('cat .env keys/k; ls keys; mv keys k2; cat k2/k; rm -rf keys .env', {
      mounts,
    });
    expect(output).not.toContain('SECRET');
    expect(readFileSync(join(scene.workspace, 'keys/k'), 'utf8')).toBe('SECRET');
  });

  it('below a planted link are refused, and nothing is made outside', async () => {
    symlinkSync(`/oldroot${scene.outside}`, join(scene.workspace, 'link'));
    const mounts = [
      { kind: 'write' as const, source: scene.workspace },
      { kind: 'scratch' as const, target: join(scene.workspace, 'link/made') },
    ];
    await expect(run('true', { mounts })).rejects.toMatchObject({ code: 'E_SANDBOX' });
    expect(readdirSync(scene.outside)).toEqual(['secret.txt']);
  });

  it('whose source was swapped for a link in a writable mount are refused', async () => {
    symlinkSync(scene.outside, join(scene.workspace, 'pkg'));
    const mounts = [
      { kind: 'write' as const, source: scene.workspace },
      { kind: 'write' as const, source: join(scene.workspace, 'pkg') },
    ];
    await expect(run('true', { mounts })).rejects.toMatchObject({ code: 'E_SANDBOX' });
  });

  it('that do not exist are named', async () => {
    const mounts = [{ kind: 'read' as const, source: join(scene.base, 'nowhere') }];
    await expect(run('true', { mounts, cwd: '/' })).rejects.toThrow(/nowhere cannot be opened/);
    await expect(run('true', { cwd: '/nowhere' })).rejects.toMatchObject({
      code: 'E_SANDBOX',
      message: expect.stringContaining('/nowhere') as string,
    });
  });
});
