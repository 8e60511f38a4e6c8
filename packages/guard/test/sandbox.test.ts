import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSandbox, toolchains } from '@switchyard/guard';
import { openOptions, shell, useSandbox, useScene } from './scene.ts';

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

  it('beside another sandbox of the same process', async () => {
    const other = await openSandbox(openOptions());
    const both = await Promise.all(
      [held.sandbox, other].map((sandbox) => sandbox.run(shell(scene, 'sleep 0.2; echo here'))),
    );
    await other.close();
    expect(both.map(({ output }) => output)).toEqual(['here\n', 'here\n']);
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

  it('finds the settings of this machine in /etc: small files as copies that nobody can change, links as links', async () => {
    const wanted = ['protocols', 'services', 'mime.types', 'ssl/openssl.cnf'].map((name) => `/etc/${name}`);
    const there = wanted.filter(existsSync);
    const { output } = await run(
      `cat ${there.join(' ')} | sha256sum; readlink /etc/localtime; for f in ${there.join(' ')}; do echo x >> $f; done`,
    );
    const [hash, ...rest] = output.trimEnd().split('\n');
    const contents = there.map((path) => readFileSync(path));
    expect(hash).toBe(`${createHash('sha256').update(Buffer.concat(contents)).digest('hex')}  -`);
    if (existsSync('/etc/localtime') && lstatSync('/etc/localtime').isSymbolicLink())
      expect(rest.shift()).toBe(realpathSync('/etc/localtime'));
    expect(rest).toHaveLength(there.length);
    for (const line of rest) expect(line).toMatch(/Read-only|denied|cannot create/);
    expect(there.map((path) => readFileSync(path))).toEqual(contents);
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
    // Toolchains of whoever runs the test may add what they need.
    const tools = toolchains().flatMap(({ env }) => Object.keys(env));
    const names = (await run('env', { env: { GIVEN: 'yes' } })).output
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect((await run('echo $HOME $TMPDIR')).output).toBe('/home/agent /tmp\n');
    expect(names.filter((name) => name !== '' && !tools.includes(name ?? '')).sort()).toEqual([
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
      .filter((line) => line.startsWith('/') && !/^\/(?:dev\/null|proc\/)/.test(line));
    expect(leaked).toEqual([]);
  });

  it('changes nothing of the devices that it shares with the machine, and can use them', async () => {
    const nodes = ['full', 'null', 'random', 'tty', 'urandom', 'zero'].map((name) => `/dev/${name}`);
    const facts = () => nodes.map((node) => [statSync(node).mode, statSync(node).mtimeMs > 1000]);
    const before = facts();
    const script = `
import os
for path in ${JSON.stringify([...nodes, '/proc/self/fd/0'])}:
  for change in (lambda: os.chmod(path, 0o600), lambda: os.utime(path, (1, 1)), lambda: os.chown(path, os.getuid(), os.getgid())):
    try: change(); print('changed', path)
    except OSError: pass
try: os.fchmod(0, 0o600); print('changed input', flush=True)
except OSError: pass
os.write(os.open('/dev/null', os.O_WRONLY), b'x'); print(os.read(0, 1), len(os.read(os.open('/dev/urandom', 0), 3)))`;
    try {
      for (const argv of [
        ['python3', '-c', script],
        ['sh', '-c', 'exec python3 -c "$0"', script],
      ])
        expect((await run('', { argv })).output).toBe("b'' 3\n");
      expect(facts()).toEqual(before);
    } finally {
      for (const [index, node] of nodes.entries())
        if (statSync(node).mode !== before[index]?.[0]) chmodSync(node, 0o666);
    }
  });

  it('leaves nothing for the next command in a descriptor', async () => {
    const script = `
import os
for n in range(0, 300):
  try:
    seen = os.pread(n, 9, 0)
    if b'LEFT' in seen: print('found', n)
  except OSError: pass
  for flags in (os.O_RDWR, os.O_WRONLY):
    try: os.write(os.open('/proc/self/fd/%d' % n, flags), b'LEFT')
    except OSError: pass`;
    for (let turn = 0; turn < 2; turn += 1)
      expect((await run('', { argv: ['python3', '-c', script] })).output).toBe('');
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
    await expect(run('true', { mounts })).rejects.toMatchObject({
      code: 'E_SANDBOX',
      message: expect.stringContaining('"link" is a link') as string,
    });
    expect(readdirSync(scene.outside)).toEqual(['secret.txt']);
  });

  it('that are themselves planted links are refused, and nothing is made outside', async () => {
    symlinkSync(`/oldroot${scene.outside}/made`, join(scene.workspace, 'link'));
    const mounts = [
      { kind: 'write' as const, source: scene.workspace },
      { kind: 'hide' as const, target: join(scene.workspace, 'link') },
    ];
    const ended = await run('true', { mounts }).catch((error: unknown) => error);
    expect(readdirSync(scene.outside)).toEqual(['secret.txt']);
    expect(ended).toMatchObject({
      code: 'E_SANDBOX',
      message: expect.stringContaining('"link" is a link') as string,
    });
  });

  it('whose source was swapped for a link in a writable mount are refused', async () => {
    symlinkSync(scene.outside, join(scene.workspace, 'pkg'));
    const mounts = [
      { kind: 'write' as const, source: scene.workspace },
      { kind: 'write' as const, source: join(scene.workspace, 'pkg') },
    ];
    await expect(run('true', { mounts })).rejects.toMatchObject({ code: 'E_SANDBOX' });
  });

  it('whose source was swapped so are not seen in another place either', async () => {
    symlinkSync(scene.outside, join(scene.workspace, 'pkg'));
    const mounts = [
      { kind: 'write' as const, source: scene.workspace },
      { kind: 'read' as const, source: join(scene.workspace, 'pkg'), target: '/seen' },
    ];
    await expect(run('cat /seen/secret.txt', { mounts })).rejects.toMatchObject({
      code: 'E_SANDBOX',
      message: expect.stringContaining('leads through a link') as string,
    });
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
