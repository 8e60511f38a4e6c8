import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { ProcessRequest } from '../src/sandbox-request.ts';
import { SetupTurns, type Turn } from '../src/setup-turns.ts';
import { useScene } from './scene.ts';

const scene = useScene();
const clock = new VirtualClock();
const turns = (followsPlantedLinks = true): SetupTurns =>
  new SetupTurns({ clock, program: { followsPlantedLinks } });

/** A command that can write to the workspace; `nested`: with a mount inside it. */
function request(nested: boolean, over: Partial<ProcessRequest> = {}): ProcessRequest {
  mkdirSync(join(scene.workspace, 'inside'), { recursive: true });
  const mounts: ProcessRequest['mounts'] = [
    { kind: 'write', source: scene.workspace },
    ...(nested ? [{ kind: 'scratch' as const, target: join(scene.workspace, 'inside') }] : []),
  ];
  return { argv: ['true'], cwd: '/', env: {}, network: 'none', timeoutMs: 5_000, mounts, ...over };
}

function end({ pinned, done }: Turn): void {
  pinned.close();
  done();
}

/** Whether it has come by now. */
async function hasCome(turn: Promise<Turn>): Promise<boolean> {
  let came = false;
  void turn.then(() => (came = true));
  await clock.advance(0);
  return came;
}

describe('a command with mounts in a writable folder', () => {
  it('is set up when no other runs that could plant a link there', async () => {
    const taken = turns();
    const running = await taken.take(request(false));
    const waiting = taken.take(request(true));
    expect(await hasCome(waiting)).toBe(false);
    end(running);
    end(await waiting);
  });

  it('waits for nobody where bubblewrap follows no link, nor does one without such mounts', async () => {
    const safe = turns(false);
    const both = [await safe.take(request(true)), await safe.take(request(true))];
    const taken = turns();
    both.push(await taken.take(request(false)), await taken.take(request(false)));
    both.forEach(end);
  });

  it('is refused when its time is over, and says why', async () => {
    const taken = turns();
    const running = await taken.take(request(false));
    const waiting = taken.take(request(true));
    const refusal = waiting.catch((error: unknown) => error);
    await clock.advance(5_000);
    expect(await refusal).toMatchObject({
      code: 'E_SANDBOX',
      message: expect.stringContaining('Another command runs in the same workspace') as unknown,
    });
    end(running);
  });
});
