/** Before the first command: a command in the sandbox tries to get out in the known ways, and must fail at each. */
import { existsSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { AppError, isAppError, messageOf } from '@switchyard/protocol';
import { readLimits, type ProcessLimits } from './process-limits.ts';
import { defaultLimits, type Sandbox, type SandboxMount } from './sandbox-request.ts';
import { explainFailure, machineFacts } from './unavailable.ts';

const namespaces = ['user', 'mnt', 'pid', 'net', 'ipc', 'uts'] as const;

/** Throws E_SANDBOX_UNAVAILABLE with all that does not hold. `folder` is empty and ours. */
export async function selfTest(sandbox: Sandbox, folder: string): Promise<void> {
  const workspace = join(folder, 'workspace');
  const outside = join(folder, 'outside');
  mkdirSync(workspace);
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'secret');
  const listener = await listen();
  try {
    const answers = await probe(sandbox, { workspace, outside, listener });
    const failures = judge(answers, outside);
    failures.push(...(await plantedLink(sandbox, folder)));
    if (failures.length > 0) throw unavailable(`the self-test failed: ${failures.join('; ')}`);
  } finally {
    listener.close();
  }
}

function unavailable(text: string): AppError {
  return new AppError('E_SANDBOX_UNAVAILABLE', `Commands cannot be isolated: ${text}`);
}

interface Place {
  readonly workspace: string;
  readonly outside: string;
  readonly listener: Server;
}

interface Answers {
  readonly namespaces: Readonly<Record<string, string>>;
  readonly status: string;
  readonly limits: string;
  readonly did: readonly string[];
}

async function probe(sandbox: Sandbox, place: Place): Promise<Answers> {
  const address = place.listener.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const setting = JSON.stringify({ outside: place.outside, port, pid: process.pid, namespaces });
  try {
    const result = await sandbox.run({
      argv: [process.execPath, '-e', probeScript, setting],
      cwd: place.workspace,
      mounts: [{ kind: 'write', source: place.workspace }],
      env: {},
      network: 'none',
      timeoutMs: 20_000,
      separateStreams: true,
    });
    const text = Buffer.from(result.stdout ?? []).toString('utf8');
    if (result.exitCode !== 0) throw unavailable(`a harmless command fails: ${result.stderr?.slice(0, 300)}`);
    return JSON.parse(text) as Answers; // written by our own script
  } catch (error) {
    if (isAppError(error) && error.code === 'E_SANDBOX_UNAVAILABLE') throw error;
    throw unavailable(explainFailure(messageOf(error), machineFacts()));
  }
}

/** Runs inside. `did` lists what it could do and must not. */
const probeScript = `
const fs = require('node:fs'), net = require('node:net'), path = require('node:path');
const { outside, port, pid, namespaces } = JSON.parse(process.argv[1]);
const did = [], read = (name) => fs.readFileSync('/proc/self/' + name, 'utf8');
const attempt = (name, action) => { try { action(); did.push(name); } catch {} };
attempt('read a file outside', () => fs.readFileSync(path.join(outside, 'secret')));
attempt('write a file outside', () => fs.writeFileSync(path.join(outside, 'planted'), ''));
const plant = (path) => () => { fs.writeFileSync(path, ''); fs.unlinkSync(path); };
attempt('write to /usr', plant('/usr/switchyard-self-test'));
attempt('change the kernel', () => fs.openSync('/proc/sys/kernel/core_pattern', 'r+'));
attempt('command the kernel', () => fs.openSync('/proc/sysrq-trigger', 'w'));
attempt('change a device of this machine (as root that needs the right to make device nodes; or run as an ordinary user)', () => fs.chmodSync('/dev/null', 0o666));
attempt('write to /', plant('/switchyard-self-test'));
attempt('signal the daemon', () => process.kill(pid, 0) && pid > 20);
fs.writeFileSync('written', 'yes');
const socket = net.connect(port, '127.0.0.1');
const end = (connected) => {
  if (connected) did.push('connect to the host');
  const ids = Object.fromEntries(namespaces.map((name) => [name, fs.readlinkSync('/proc/self/ns/' + name)]));
  process.stdout.write(JSON.stringify({ namespaces: ids, status: read('status'), limits: read('limits'), did }));
  socket.destroy();
};
socket.on('connect', () => end(true));
socket.on('error', () => end(false));
`;

function judge(answers: Answers, outside: string): string[] {
  const failures = answers.did.map((deed) => `a command could ${deed}`);
  if (existsSync(join(outside, 'planted'))) failures.push('a command wrote outside');
  for (const name of namespaces)
    if (answers.namespaces[name] === readlinkSync(`/proc/self/ns/${name}`))
      failures.push(`commands share the ${name} namespace with this machine`);
  const wanted: readonly [string, RegExp][] = [
    ['privileges can be gained', /^NoNewPrivs:\s*1$/m],
    ['no system call filter is in force', /^Seccomp:\s*2$/m],
    ['capabilities are left', /^CapEff:\s*0+$/m],
    ['capabilities can be had again', /^CapBnd:\s*0+$/m],
  ];
  for (const [text, pattern] of wanted) if (!pattern.test(answers.status)) failures.push(text);
  for (const [name, value] of Object.entries(readLimits(answers.limits)))
    if (value > defaultLimits[name as keyof ProcessLimits])
      failures.push(`a command has no limit of ${name}`);
  return failures;
}

/** CVE-2026-87766: a mount point below a planted link must never make bubblewrap create something outside. */
async function plantedLink(sandbox: Sandbox, folder: string): Promise<string[]> {
  const workspace = join(folder, 'planted');
  const victim = join(folder, 'victim');
  mkdirSync(workspace);
  mkdirSync(victim);
  symlinkSync(`/oldroot${victim}`, join(workspace, 'link'));
  const nested: SandboxMount[] = [
    { kind: 'scratch', target: join(workspace, 'link', 'made') },
    { kind: 'hide', target: join(workspace, 'link', 'hidden') },
  ];
  for (const mount of nested) {
    const request = { argv: ['true'], cwd: workspace, env: {}, network: 'none' as const, timeoutMs: 5000 };
    const mounts: SandboxMount[] = [{ kind: 'write', source: workspace }, mount];
    const outcome = await sandbox.run({ ...request, mounts }).then(
      () => 'ran',
      (error: unknown) => messageOf(error),
    );
    if (outcome === 'ran') return ['a mount point below a planted link is accepted'];
  }
  return existsSync(join(victim, 'made')) ? ['a planted link makes bubblewrap write outside'] : [];
}

function listen(): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
