import { existsSync } from 'node:fs';
import { peerId } from '@switchyard/protocol';
import { silentLogger, systemClock, systemRandom } from '@switchyard/runtime';
import { createLink, threadHeartbeats, webSocketDial } from '@switchyard/transport';

/**
 * A peer as a process: a link, and heartbeats from a thread. A message names a file: its main loop stands still, busy or
 * asleep, until that is there.
 */
const [url = '', token = '', name = '', fingerprint] = process.argv.slice(2);
const logger = silentLogger();
const link = createLink({
  self: peerId.parse(name),
  hello: () => ({
    role: 'worker',
    version: '0.1.0',
    host: 'test',
    pid: process.pid,
    labels: [],
    slots: 1,
    specializations: [],
    holding: [],
    reviewing: [],
  }),
  dial: webSocketDial({ url, token: () => token, fingerprint }),
  clock: systemClock,
  random: systemRandom,
  logger,
  heartbeats: threadHeartbeats({ place: () => ({ url, token, fingerprint }), logger }),
  handler: { message: () => undefined, fatal: () => process.exit(1) },
});
link.start();

process.on('message', ({ file, isBusy }: { readonly file: string; readonly isBusy: boolean }) => {
  const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  while (!existsSync(file)) if (!isBusy) Atomics.wait(never, 0, 0, 20);
});
process.on('disconnect', () => process.exit(0));
