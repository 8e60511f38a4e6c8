import { methods, type AgentContext } from '@agentclientprotocol/sdk';
import { AppError } from '@switchyard/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AcpBench } from './acp-bench.ts';
import { FakeProcess } from './agent-bench.ts';

let bench: AcpBench;
beforeEach(() => {
  bench = new AcpBench();
});
afterEach(() => bench.close());

describe('terminals', () => {
  const create = (client: AgentContext, request: object) =>
    client.request(methods.client.terminal.create, { sessionId: 's1', command: 'ls', ...request });

  it('are processes in the sandbox, of which the end of the output is kept', async () => {
    const terminal = new FakeProcess();
    bench.others.push(terminal);
    bench.files = { checkWorkingDirectory: (path) => Promise.resolve(path) };
    const seen: unknown[] = [];
    bench.play({
      async work(client) {
        const { terminalId } = await create(client, {
          command: 'npm',
          args: ['test'],
          cwd: '/tree/src',
          env: [{ name: 'A', value: '1' }],
          outputByteLimit: 5,
        });
        terminal.stdout.write('0123456789');
        terminal.end({ exitCode: 3 });
        const about = { sessionId: 's1', terminalId };
        seen.push(await client.request(methods.client.terminal.waitForExit, about));
        seen.push(await client.request(methods.client.terminal.output, about));
        await client.request(methods.client.terminal.release, about);
        seen.push(await client.request(methods.client.terminal.output, about).catch(() => 'released'));
        return 'end_turn';
      },
    });
    await bench.perform();
    expect(seen).toEqual([
      { exitCode: 3 },
      { output: '56789', truncated: true, exitStatus: { exitCode: 3 } },
      'released',
    ]);
    const [, spawned] = bench.spawned;
    expect(spawned?.argv.slice(-4)).toEqual(['sh', '/tree/src', 'npm', 'test']);
    expect(spawned?.env).toEqual({ A: '1' });
  });

  it('take a line for the shell, end when they are killed, and with the turn', async () => {
    const [first, second] = [new FakeProcess(), new FakeProcess()];
    bench.others.push(first, second);
    bench.play({
      async work(client) {
        const { terminalId } = await create(client, { command: 'sleep 9 | cat' });
        await client.request(methods.client.terminal.kill, { sessionId: 's1', terminalId });
        await create(client, {});
        return 'end_turn';
      },
    });
    await bench.perform();
    expect(bench.spawned[1]?.argv).toEqual(['sh', '-c', 'sleep 9 | cat']);
    expect(first.killedFor).toMatch(/its agent ended it/);
    expect(second.killedFor).toMatch(/its agent has ended/);
  });

  it('end with the turn, too, where they had not begun by then', async () => {
    const late = new FakeProcess();
    bench.others.push(late);
    let isFound: (path: string) => void = () => undefined;
    const looking = new Promise<void>((asked) => {
      bench.files = {
        checkWorkingDirectory: () => new Promise((found) => ((isFound = found), asked())),
      };
    });
    bench.play({
      async work(client) {
        // Its answer comes when nobody hears it any more.
        void create(client, { cwd: '/tree' }).catch(() => undefined);
        await looking;
        return 'end_turn';
      },
    });
    await bench.perform();
    isFound('/tree');
    while (late.killedFor === undefined) await new Promise((resolve) => setImmediate(resolve));
    expect(late.killedFor).toMatch(/its agent has ended/);
  });

  it('keep nothing where an agent wants nothing of the output', async () => {
    const terminal = new FakeProcess();
    bench.others.push(terminal);
    let seen: unknown;
    bench.play({
      async work(client) {
        const { terminalId } = await create(client, { outputByteLimit: 0 });
        terminal.stdout.write('0123456789');
        terminal.end();
        await client.request(methods.client.terminal.waitForExit, { sessionId: 's1', terminalId });
        seen = await client.request(methods.client.terminal.output, { sessionId: 's1', terminalId });
        return 'end_turn';
      },
    });
    await bench.perform();
    expect(seen).toMatchObject({ output: '', truncated: true });
  });

  it('are not more than an agent needs, however many it asks for at once', async () => {
    const answers: unknown[] = [];
    for (let count = 0; count < 100; count += 1) bench.others.push(new FakeProcess());
    bench.files = {
      checkWorkingDirectory: (path) => new Promise((found) => setImmediate(() => found(path))),
    };
    bench.play({
      async work(client) {
        const asked = Array.from({ length: 100 }, () => create(client, { cwd: '/tree' }));
        for (const each of asked) answers.push(await each.catch((error: unknown) => error));
        return 'end_turn';
      },
    });
    await bench.perform();
    expect(answers.filter((answer) => !(answer instanceof Error))).toHaveLength(32);
  });

  it('are not more than an agent needs', async () => {
    const answers: unknown[] = [];
    for (let count = 0; count < 33; count += 1) bench.others.push(new FakeProcess());
    bench.play({
      async work(client) {
        for (let count = 0; count < 33; count += 1)
          answers.push(await create(client, {}).catch((error: unknown) => error));
        return 'end_turn';
      },
    });
    await bench.perform();
    expect(answers.findIndex((answer) => answer instanceof Error)).toBe(32);
    expect(answers[32]).toMatchObject({
      message: expect.stringContaining('32 terminals are open') as string,
    });
  });

  it('begin in no folder outside', async () => {
    bench.files = {
      checkWorkingDirectory: () =>
        Promise.reject(new AppError('E_OUTSIDE_WORKSPACE', 'outside workspace: "/etc"')),
    };
    let answer: unknown;
    bench.play({
      async work(client) {
        answer = await create(client, { cwd: '/etc' }).catch((error: unknown) => error);
        return 'end_turn';
      },
    });
    await bench.perform();
    expect(answer).toMatchObject({ message: expect.stringContaining('outside workspace') as string });
    expect(bench.events).toContainEqual(
      expect.objectContaining({ kind: 'denied', what: 'run ls in /etc', code: 'E_OUTSIDE_WORKSPACE' }),
    );
    expect(bench.spawned).toHaveLength(1);
  });
});
