import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSandbox, type Sandbox, type SandboxMount } from '@switchyard/guard';
import { exitCodes } from '@switchyard/protocol';
import { silentLogger, systemClock } from '@switchyard/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../bin/switchyard.mjs', import.meta.url));
const checkout = fileURLToPath(new URL('../../..', import.meta.url));
const setupMissing = exitCodes.setupMissing.code;
let folder = '';
let sandbox: Sandbox;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'switchyard-doctor-')));
  for (const name of ['home/bin', 'home/.cargo/bin', 'work'])
    mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'home/bin/tool'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(folder, 'empty'), '');
  sandbox = await openSandbox({ mode: 'auto', logger: silentLogger(), clock: systemClock });
});
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

const words = [process.execPath, program, 'doctor'];

/** `doctor` on this machine, through a program that takes something from it. */
function doctor(
  through: readonly string[] = [],
  searchPath = process.env['PATH'] ?? '',
  env: Readonly<Record<string, string>> = {},
) {
  const [first = '', ...rest] = [...through, ...words];
  const ended = spawnSync(first, rest, {
    cwd: join(folder, 'work'),
    env: { PATH: searchPath, HOME: join(folder, 'home'), ...env },
    encoding: 'utf8',
  });
  return { code: ended.status, said: ended.stdout + ended.stderr };
}

/** `doctor` in a place that lets no namespace be made, as a container does. */
async function inSandbox(more: readonly SandboxMount[] = []) {
  const { exitCode, output } = await sandbox.run({
    argv: words,
    cwd: join(folder, 'work'),
    mounts: [{ kind: 'read', source: checkout }, { kind: 'read', source: folder }, ...more],
    env: {},
    network: 'none',
    timeoutMs: 60_000,
  });
  return { code: exitCode, said: output };
}

describe('doctor', () => {
  it('shows the tier of this machine, tested, and what holds processes and memory', () => {
    const { code, said } = doctor();
    expect(code).toBe(0);
    expect(said).toMatch(/ok +sandbox +bubblewrap, tested\n +bubblewrap \d[\d.]* at \//);
    expect(said).toMatch(/\n +processes are limited by [^\n]+\n +memory is limited [^\n]+/);
  });

  it('lists what lies on PATH in a home folder and is not seen, with the reason, beside what is', () => {
    const home = join(folder, 'home');
    const { said } = doctor([], `${home}/bin:${home}/.cargo/bin:${process.env['PATH'] ?? ''}`);
    expect(said).toContain(`${home}/bin: on PATH, in the home folder, and of no version manager`);
    expect(said).toMatch(/ok +toolchains +system, .*\/home\/\.cargo\/bin/);
    expect(said).not.toContain(`${home}/.cargo/bin: `);
    expect(said).toContain('(commands of tasks do not see them)');
  });

  it('shows which agents are here, and how the others are installed', () => {
    const agents = join(folder, 'agents');
    mkdirSync(join(agents, 'bin'), { recursive: true });
    writeFileSync(join(agents, 'bin', 'codex'), '', { mode: 0o755 });
    const file = join(folder, 'agents.json');
    writeFileSync(
      file,
      JSON.stringify({ mine: { title: 'Mine', cli: { program: 'mine', output: 'text' } } }),
    );
    const env = { SWITCHYARD_AGENT_FOLDERS: agents, SWITCHYARD_AGENTS: file };
    const { code, said } = doctor([], undefined, env);
    expect(code).toBe(0);
    expect(said).toContain(`codex (cli): ${agents}/bin/codex`);
    expect(said).toMatch(
      /not here +agents that are known and not installed:\n[^]* pi \(cli\): `npm install @mariozechner\//,
    );
    expect(said).toMatch(/ mine \(cli\)\n/);
    // Those that no test runs say so.
    expect(said).toMatch(/ gemini \(acp\): `npm install @google\/gemini-cli@\S+` \(untested: .*\)\n/);
    writeFileSync(file, '{');
    expect(doctor([], undefined, env).said).toMatch(
      /wrong +agents +E_CONFIG: the agents file .* cannot be read/,
    );
  });

  it('shows which providers can be asked, and what their answers are priced by', () => {
    const file = join(folder, 'models.json');
    const price = { input: 1, output: 2 };
    writeFileSync(file, JSON.stringify({ prices: { 'my-model': price } }));
    const env = { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1', OPENAI_API_KEY: 'sk-not-to-be-shown' };
    expect(doctor([], undefined, env).said).toMatch(
      /models +openai: http:\/\/127\.0\.0\.1:1\/v1\n +list prices of \d{4}-\d\d-\d\d; others go into/,
    );
    const { said } = doctor([], undefined, { ...env, SWITCHYARD_MODELS: file });
    expect(said).toMatch(/of the models file: my-model/);
    expect(said).not.toContain('sk-not-to-be-shown');
    writeFileSync(file, '{"prices": 5}');
    expect(doctor([], undefined, { SWITCHYARD_MODELS: file }).said).toMatch(/wrong +models +E_CONFIG/);
  });

  it('shows which MCP servers are usable, and what the others need', () => {
    const servers = join(folder, 'servers');
    mkdirSync(servers, { recursive: true });
    writeFileSync(join(servers, 'mcp-server-filesystem'), '', { mode: 0o755 });
    const file = join(folder, 'servers.json');
    writeFileSync(file, JSON.stringify({ loud: { title: 'Loud', program: 'loud', env: ['LOUD_TOKEN'] } }));
    const env = { SWITCHYARD_AGENT_FOLDERS: servers, SWITCHYARD_MCP_SERVERS: file };
    const { said } = doctor([], undefined, env);
    expect(said).toContain(`filesystem: usable (${servers}/mcp-server-filesystem)`);
    expect(said).toContain('loud: needs the program loud, the variable LOUD_TOKEN');
    expect(said).toMatch(
      /github: needs `npm install @modelcontextprotocol\/server-github`, the variable GITHUB_/,
    );
    writeFileSync(file, '[]');
    expect(doctor([], undefined, env).said).toMatch(/wrong +MCP servers +E_CONFIG: the MCP servers file/);
  });

  it.each([
    ['are turned off', '0'],
    ['are used up', '1'],
  ])('names the way out where user namespaces %s', (_, most) => {
    const script = 'echo "$1" > /proc/sys/user/max_user_namespaces && shift && exec "$@"';
    const within = most === '0' ? [] : ['unshare', '-U', '-r'];
    const { code, said } = doctor(['unshare', '-U', '-r', 'sh', '-c', script, 'sh', most, ...within]);
    expect(code).toBe(setupMissing);
    expect(said).toMatch(
      /missing sandbox +Commands cannot be isolated: user namespaces are turned off, or used up/,
    );
    expect(said).toContain('sudo sysctl -w user.max_user_namespaces=');
  });

  it('names the way out in what is itself a sandbox, and in a container', async () => {
    const held = await inSandbox();
    expect(held.code).toBe(setupMissing);
    expect(held.said).toContain(
      'this process is itself held by a system call filter that forbids namespaces',
    );
    const container = await inSandbox([
      { kind: 'read', source: join(folder, 'empty'), target: '/run/.containerenv' },
    ]);
    expect(container.code).toBe(setupMissing);
    expect(container.said).toContain('this container does not allow user namespaces');
    expect(container.said).toContain('docker run --security-opt seccomp=unconfined');
  });
});
