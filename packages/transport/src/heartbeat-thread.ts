import { parentPort, workerData } from 'node:worker_threads';
import { systemClock, systemRandom } from '@switchyard/runtime';
import { webSocketDial } from './dial.ts';
import { HeartbeatLane } from './heartbeat-lane.ts';
import type { ThreadData, ThreadOrder, ThreadWord } from './thread-heartbeats.ts';

/** The thread that `threadHeartbeats` starts: it has a socket of its own, and reads how far the main loop has come. */
const { turns } = workerData as ThreadData;
const counter = new Uint32Array(turns);
let lane: HeartbeatLane | undefined;

parentPort?.on('message', (order: ThreadOrder) => {
  void lane?.stop();
  lane = undefined;
  if (order.kind === 'begin') lane = begin(order);
});

function begin({ place, greeting }: ThreadOrder & { readonly kind: 'begin' }): HeartbeatLane {
  const { url, token, fingerprint } = place;
  const begun = new HeartbeatLane({
    ...greeting,
    dial: webSocketDial({ url, token: () => token, fingerprint }),
    clock: systemClock,
    random: systemRandom,
    turns: () => Atomics.load(counter, 0),
    onRefused: ({ code, message }) => parentPort?.postMessage({ code, message } satisfies ThreadWord),
  });
  begun.start();
  return begun;
}
