import { attemptKey, peerId, type AppError, type CommitId } from '@switchyard/protocol';
import { openLog, silentLogger } from '@switchyard/runtime';
import { MemoryOutbox, seededRandom, settle, VirtualClock } from '@switchyard/testkit';
import { createHub, createLink, memoryPair, type Dial, type LinkHandler } from '@switchyard/transport';
import { expect, it } from 'vitest';
import { WorkerDaemon } from '../src/daemon.ts';

const self = peerId.parse('worker-1');
const attempt = attemptKey.parse({ run: 'demo-abc', taskId: 'a', attempt: 1, fence: 1 });

it('a worker that was replaced before it could report what it held leaves that to its next start', async () => {
  const [clock, random] = [new VirtualClock(), seededRandom(3)];
  const errors: string[] = [];
  const tap = (line: string) => void errors.push((JSON.parse(line) as { msg: string }).msg);
  const log = await openLog({ daemon: self, level: 'error', stdout: false, tap });
  const { logger } = log;
  const hub = createHub({
    ...{ self: peerId.parse('orchestrator'), hubName: 'test', version: '0', clock, random },
    logger: silentLogger(),
    handler: {
      connected: () => ({ fenced: [] }),
      message: () => undefined,
      liveness: () => undefined,
      disconnected: () => undefined,
    },
  });
  const dial: Dial = (lane) => {
    const [ours, theirs] = memoryPair();
    hub.accept(theirs, { roles: ['worker'], lane, credential: 'operator' });
    return Promise.resolve(ours);
  };
  const outbox = new MemoryOutbox();
  const refused: AppError[] = [];
  let handedOver: (wip: CommitId | undefined) => void = () => undefined;
  let forgotten = 0;
  const about = { version: '0', host: 'test', pid: 1, labels: [], slots: 1 };
  const linkWith = (handler: LinkHandler) => {
    return createLink({
      ...{ self, dial, clock, random, logger: silentLogger(), outbox, handler },
      hello: () => ({ ...about, role: 'worker', specializations: [], holding: [], reviewing: [] }),
    });
  };
  const daemon = new WorkerDaemon({
    ...{ self, clock, random, logger, outbox, ...about, abortMs: 100 },
    workshop: {
      findHeld: () =>
        Promise.resolve([
          {
            attempt,
            handOver: () => new Promise<CommitId | undefined>((resolve) => (handedOver = resolve)),
            forget: () => Promise.resolve(void (forgotten += 1)),
          },
        ]),
      perform: () => Promise.reject(new Error('nothing is given out here')),
    },
    link: ({ handler }) => linkWith(handler),
    keepToken: () => undefined,
    fatal: (error) => void refused.push(error),
    stop: () => undefined,
  });
  await daemon.start();
  await settle();
  const other = linkWith({ message: () => undefined, fatal: () => undefined });
  other.start();
  await other.whenConnected();
  await settle();
  expect(refused.map(({ code }) => code)).toEqual(['E_REPLACED']);
  handedOver(undefined);
  await settle();
  expect(errors).toEqual(['the attempt of an earlier life could not be reported']);
  expect([forgotten, outbox.pending().length]).toEqual([0, 0]);
  await other.close();
  await hub.close();
  await log.close();
});
