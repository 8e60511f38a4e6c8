import { closeCodes, registry } from '@switchyard/protocol';
import { settle } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { World } from './world.ts';

const observerOnly = { roles: ['observer'] } as const;

/** What a client may send and an observer may not: all that changes something. */
const changes = Object.entries(registry)
  .filter(([, { from }]) => (from as readonly string[]).includes('client'))
  .filter(([, { from }]) => !(from as readonly string[]).includes('observer'))
  .map(([type]) => type);

describe('an observer', () => {
  it('may not do what starts, grows, answers or ends anything', () => {
    expect(changes).toEqual(
      expect.arrayContaining(['run-submit', 'run-add-tasks', 'run-cancel', 'gate-answer', 'run-apply']),
    );
    expect(changes).not.toContain('run-get');
  });

  it.each(changes)('that sends %s is dropped, and nobody hears of it', async (type) => {
    const world = new World();
    const peer = await world.greeted('looker', 'observer', observerOnly);
    expect(peer.closed).toBeUndefined();
    peer.say(type as 'run-cancel', { run: 'run-1', reason: 'because' }, { from: 'looker' });
    await settle();
    expect(peer.closed?.code).toBe(closeCodes.forbidden.code);
    expect(world.messages).toEqual([]);
  });

  it('may look', async () => {
    const world = new World();
    const peer = await world.greeted('looker', 'observer', observerOnly);
    peer.say('run-list', {}, { from: 'looker' });
    await settle();
    expect(peer.closed).toBeUndefined();
    expect(world.messages.map(({ envelope }) => envelope.type)).toEqual(['run-list']);
  });

  it('cannot say that it is a client', async () => {
    const world = new World();
    const peer = await world.greeted('looker', 'client', observerOnly);
    expect(peer.closed?.code).toBe(closeCodes.forbidden.code);
    expect(world.connected).toEqual([]);
  });
});
