import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownProcess } from '@switchyard/runtime';
import Database from 'libsql';
import { pack, unpackMultiple } from 'msgpackr';
import { WebSocketServer, type WebSocket } from 'ws';

/** What one pass of a loop took. */
export interface LoopFigures {
  readonly tasks: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Transactions, each with one fsync of the write-ahead log. */
  readonly commits: number;
  /** Of it, until the plan was taken: checked, and its run in the journal. */
  readonly submission: { readonly wallMs: number; readonly cpuMs: number };
}

/** What a pass is asked to do; a chain has one task at a time, which follows from the one before. */
export interface LoopRequest {
  readonly tasks: number;
  readonly slots: number;
  readonly chain: boolean;
}

/**
 * The limit of the shape: a ws hub, two worker processes, msgpack frames, and completions acted on only after a
 * group-committed SQLite FULL transaction. No checks, leases, fences, logs or graph.
 */
export async function runBareLoop(request: LoopRequest): Promise<LoopFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-bare-'));
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  const workers: ChildProcess[] = [];
  const db = new Database(join(folder, 'bare.db'));
  try {
    db.exec('pragma journal_mode = wal; pragma synchronous = full; create table facts (task integer)');
    const sockets = await connectWorkers(server, workers);
    return await pump(db, sockets, request);
  } finally {
    for (const worker of workers) worker.kill();
    for (const socket of server.clients) socket.terminate();
    server.close();
    db.close();
    rmSync(folder, { recursive: true });
  }
}

async function connectWorkers(server: WebSocketServer, workers: ChildProcess[]): Promise<WebSocket[]> {
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const sockets: WebSocket[] = [];
  const connected = new Promise<void>((resolve, reject) => {
    server.on('connection', (socket) => {
      sockets.push(socket);
      if (sockets.length === 2) resolve();
    });
    const { entry, execArgv } = ownProcess(new URL('./bare-worker.ts', import.meta.url));
    for (let index = 0; index < 2; index += 1) {
      const worker = fork(entry, [String(address.port)], { execArgv: [...execArgv] });
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`a worker ended early with ${code}`)));
      workers.push(worker);
    }
  });
  await connected;
  return sockets;
}

function pump(
  db: Database.Database,
  sockets: readonly WebSocket[],
  request: LoopRequest,
): Promise<LoopFigures> {
  const { tasks, slots, chain } = request;
  const insert = db.prepare('insert into facts values (?)');
  const outgoing = sockets.map((): Buffer[] => []);
  let done: { task: number; at: number }[] = [];
  let given = 0;
  let finished = 0;
  let commits = 0;
  const cpu = process.cpuUsage();
  const started = performance.now();
  const give = (at: number): void => {
    if (given < tasks) outgoing[at]?.push(pack({ type: 'task-assignment', task: given++ }));
  };
  const flush = (): void => {
    sockets.forEach((socket, at) => {
      const frames = outgoing[at]?.splice(0) ?? [];
      if (frames.length > 0) socket.send(Buffer.concat(frames));
    });
  };
  return new Promise((resolve, reject) => {
    const commit = (): void => {
      const group = done;
      done = [];
      db.exec('begin immediate');
      for (const { task } of group) insert.run(task);
      db.exec('commit');
      commits += 1;
      finished += group.length;
      for (const { at } of group) give(chain ? given % sockets.length : at);
      flush();
      if (finished < tasks) return;
      const { user, system } = process.cpuUsage(cpu);
      const [wallMs, cpuMs] = [performance.now() - started, (user + system) / 1000];
      resolve({ tasks, wallMs, cpuMs, commits, submission: { wallMs: 0, cpuMs: 0 } });
    };
    sockets.forEach((socket, at) => {
      socket.once('close', () => reject(new Error('a worker went away')));
      socket.on('message', (frame: Buffer) => {
        unpackMultiple(frame, (message: { task: number }) => {
          done.push({ task: message.task, at });
          if (done.length === 1) setImmediate(commit);
        });
      });
    });
    const first = chain ? 1 : slots * sockets.length;
    for (let index = 0; index < first; index += 1) give(index % sockets.length);
    flush();
  });
}
