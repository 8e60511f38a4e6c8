import { peerId, type MessageId } from '@switchyard/protocol';
import { memoryPair, type Channel } from '@switchyard/transport';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failedPayload } from './payloads.ts';
import { MemoryOutbox, seededRandom } from '@switchyard/testkit';
import { World, type LinkProbe } from './world.ts';

const worker1 = peerId.parse('worker-1');

/** What may happen between two moments. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('send' as const), count: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 400 }) }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'cut' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart-hub' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart-peer' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'acknowledge' as const }) },
);
type Step = typeof step extends fc.Arbitrary<infer Of> ? Of : never;

/** A worker behind a line that is cut at any moment, with latency, so that frames are lost on their way. */
class Scene {
  readonly world = new World();
  readonly outbox = new MemoryOutbox();
  readonly sent: string[] = [];
  readonly channels = new Set<Channel>();
  private readonly latency: () => number;
  private acknowledgedUpTo = 0;
  probe: LinkProbe;

  constructor(seed: number) {
    const random = seededRandom(seed);
    this.latency = () => Math.floor(random.next() * 20);
    this.probe = this.start();
  }

  start(): LinkProbe {
    return this.world.link('worker-1', 'worker', {
      outbox: this.outbox,
      dial: (lane) => {
        // One latency a connection: a line keeps its order.
        const latencyMs = this.latency();
        const [ours, theirs] = memoryPair({ clock: this.world.clock, latencyMs: () => latencyMs });
        this.channels.add(ours);
        this.world.hub.accept(theirs, this.world.grant(lane));
        return Promise.resolve(ours);
      },
    });
  }

  async perform(action: Step): Promise<void> {
    switch (action.kind) {
      case 'send':
        for (let count = 0; count < action.count; count += 1) {
          const text = `${this.sent.length}`;
          this.sent.push(text);
          this.probe.link.send('task-failed', failedPayload(text));
        }
        return;
      case 'wait':
        return this.world.clock.advance(action.ms);
      case 'cut':
        return this.cut();
      case 'restart-hub':
        void this.world.hub.close();
        this.cut();
        this.world.makeHub();
        return;
      case 'restart-peer':
        // What is not stored yet dies with a process; here the worker waits for its disk.
        await this.world.clock.advance(0);
        await this.probe.link.close();
        this.probe = this.start();
        return;
      case 'acknowledge':
        return this.acknowledge();
    }
  }

  /** As the orchestrator does once its journal has them. */
  acknowledge(): void {
    const of: MessageId[] = this.world.messages
      .slice(this.acknowledgedUpTo)
      .map(({ envelope }) => envelope.id);
    if (of.length === 0) return;
    if (this.world.hub.send(worker1, 'ack', { of }) !== undefined)
      this.acknowledgedUpTo = this.world.messages.length;
  }

  received(): string[] {
    return this.world.messages.map(({ envelope }) => (envelope.payload as { error: string }).error);
  }

  private cut(): void {
    for (const channel of this.channels) channel.close(1006, 'cut');
    this.channels.clear();
  }
}

describe('a link under random disconnects', () => {
  it('delivers every durable message at least once, first deliveries in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(), async (steps, seed) => {
        const scene = new Scene(seed);
        for (const action of steps) await scene.perform(action);
        for (let turn = 0; turn < 30; turn += 1) {
          await scene.world.clock.advance(1_000);
          scene.acknowledge();
        }
        const firsts = [...new Set(scene.received())];
        expect(firsts).toEqual(scene.sent);
        await scene.world.clock.advance(1_000);
        scene.acknowledge();
        await scene.world.clock.advance(1_000);
        await scene.probe.link.close();
      }),
      { numRuns: 60 },
    );
  });

  it('forgets what was acknowledged, so that the outbox empties', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.nat(), async (steps, seed) => {
        const scene = new Scene(seed);
        for (const action of steps) await scene.perform(action);
        await scene.world.clock.advance(30_000);
        // An ack on a line that is cut is lost; the replay brings it again.
        for (const { envelope } of scene.world.messages)
          scene.world.hub.send(worker1, 'ack', { of: [envelope.id] });
        await scene.world.clock.advance(1_000);
        expect(scene.outbox.pending()).toEqual([]);
        expect(scene.probe.link.unacknowledged).toBe(0);
        await scene.probe.link.close();
      }),
      { numRuns: 30 },
    );
  });
});
