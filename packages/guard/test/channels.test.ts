import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { outwardChannels } from './outward-channels.ts';
import { processesWith, shell, useSandbox, useScene } from './scene.ts';

const scene = useScene();
const tiers = {
  'with control groups, where this machine has them': useSandbox(),
  'without control groups': useSandbox({ controlGroups: 'off' }),
};
const held = tiers['with control groups, where this machine has them'];

describe('with the network off', () => {
  it('no outward channel connects, and the host hears nothing', async () => {
    let heard = 0;
    const hear = (): number => (heard += 1);
    const abstract = `guard-channels-${process.pid}`;
    const path = join(scene.base, 'host.sock');
    const servers = [path, `\0${abstract}`].map((address) => createServer(hear).listen(address));
    const tcp = createServer(hear).listen(0);
    const udp = createSocket('udp4', hear).bind(0);
    await Promise.all([...servers, tcp, udp].map((each) => once(each, 'listening')));
    try {
      const own = Object.values(networkInterfaces()).flatMap((all) =>
        (all ?? []).map(({ address }) => address),
      );
      const question = JSON.stringify({
        addresses: [...new Set(['127.0.0.1', '::1', '9.9.9.9', '2620:fe::fe', '169.254.169.254', ...own])],
        tcp: (tcp.address() as AddressInfo).port,
        udp: udp.address().port,
        unix: path,
        abstract,
      });
      const { output } = await held.sandbox.run(
        shell(scene, '', { argv: ['python3', '-c', outwardChannels, question], timeoutMs: 60_000 }),
      );
      const { opened, tried } = JSON.parse(output) as { opened: string[]; tried: number };
      expect(opened).toEqual([]);
      expect(tried).toBeGreaterThan(350);
      expect(heard).toBe(0);
    } finally {
      for (const each of [...servers, tcp, udp]) each.close();
    }
  });
});

/** Ways in which a process hides from whoever ends its tree; each sleeps for a number of its own. */
const hiding = `
import os, signal, sys, time
word = sys.argv[1]
def sleeper(): os.execvp('sleep', ['sleep', word])
def child(action):
    if os.fork() == 0: action()
def double():
    if os.fork() == 0: sleeper()
    os._exit(0)
def session(): os.setsid(); double()
def stopped(): child(sleeper); os.kill(os.getpid(), signal.SIGSTOP)
def deaf():
    for number in range(1, 65):
        try: signal.signal(number, signal.SIG_IGN)
        except Exception: pass
    sleeper()
def closed():
    os.setsid()
    os.closerange(0, 256)
    if os.fork() == 0: sleeper()
    os._exit(0)
def vforker():
    while True:
        if os.fork(): os._exit(0)
def threaded():
    import threading
    threading.Thread(target=time.sleep, args=(600,)).start()
    sleeper()
for action in (sleeper, double, session, stopped, deaf, closed, threaded, vforker): child(action)
print('up', flush=True)
time.sleep(0.1 if sys.argv[2] == 'leave' else 600)
`;

describe.each(Object.entries(tiers))('nothing survives (%s)', (_, tier) => {
  it.each(['time-out', 'abort', 'a peaceful end', 'a kill'])('%s', async (end) => {
    const word = `47${process.pid}${end.length}`;
    const argv = ['python3', '-c', hiding, word, end === 'a peaceful end' ? 'leave' : 'stay'];
    const stop = new AbortController();
    const agent = await tier.sandbox.start(
      shell(scene, '', { argv, signal: stop.signal, timeoutMs: end === 'time-out' ? 1500 : 30_000 }),
    );
    agent.stderr.resume();
    await once(agent.stdout, 'data');
    if (end === 'abort') stop.abort();
    if (end === 'a kill') agent.kill('enough');
    const { ended } = await agent.ended;
    expect(ended).toBe({ 'time-out': 'timed-out', abort: 'killed', 'a kill': 'killed' }[end] ?? 'exited');
    expect(processesWith(word)).toEqual([]);
  });
});
