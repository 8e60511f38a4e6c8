import { join } from 'node:path';
import { peerId, type Envelope } from '@switchyard/protocol';
import { silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import { openOutbox } from '@switchyard/store';
import { createLink, webSocketDial } from '@switchyard/transport';

/** A worker process of the bench: the production link and a durable outbox, and tasks that are done at once. */
const [url = '', folder = '', name = '', slots = '1'] = process.argv.slice(2);
const self = peerId.parse(name);
const logger = silentLogger();
const link = createLink({
  self,
  hello: () => ({
    role: 'worker',
    version: '0.1.0',
    host: 'bench',
    pid: process.pid,
    labels: [],
    slots: Number(slots),
    specializations: [],
    holding: [],
    reviewing: [],
  }),
  dial: webSocketDial({ url, token: () => 'bench' }),
  clock: systemClock,
  random: systemRandom,
  logger,
  outbox: openOutbox({ file: join(folder, `${name}.outbox`), logger }),
  handler: {
    message: (envelope) => carryOut(envelope),
    fatal: (error) => {
      throw error;
    },
  },
});

function carryOut(envelope: Envelope): void {
  if (envelope.type !== 'task-assignment') return;
  const { run, taskId, attempt, fence, base } = envelope.payload;
  const at = Date.now();
  link.send('task-accepted', { run, taskId, attempt, fence });
  link.send('task-completed', {
    run,
    taskId,
    attempt,
    fence,
    result: 'done',
    filesModified: [],
    testsPass: true,
    acceptanceCriteria: {},
    evidence: {
      base,
      filesChanged: [],
      receipts: [],
      sandbox: 'none',
      worker: self,
      startedAt: at,
      finishedAt: at,
      outputTail: '',
    },
  });
}

link.start();
await link.whenConnected();
process.send?.('ready');
process.on('disconnect', () => process.exit(0));
