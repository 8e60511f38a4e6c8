import { Absence } from '@switchyard/peer';
import { VirtualClock } from '@switchyard/testkit';
import { beforeEach, expect, it } from 'vitest';

let clock = new VirtualClock();
let reasons: string[] = [];
beforeEach(() => ([clock, reasons] = [new VirtualClock(), []]));

function absence(giveUpMs: number | undefined): Absence {
  return new Absence({ clock, giveUpMs, stop: (reason) => reasons.push(reason) });
}

it('ends the peer when the orchestrator stays away, counted from when it was missed last', async () => {
  const watched = absence(2_000);
  watched.begin();
  await clock.advance(1_500);
  watched.begin();
  await clock.advance(1_500);
  expect(reasons).toEqual([]);
  await clock.advance(500);
  expect(reasons).toEqual(['no orchestrator for 2 s']);
});

it('does not while it is there, nor where a peer waits for ever, nor once the peer ends by itself', async () => {
  const back = absence(2_000);
  back.begin();
  back.end();
  absence(undefined).begin();
  const leaving = absence(2_000);
  leaving.close();
  leaving.begin();
  await clock.advance(10_000);
  expect(reasons).toEqual([]);
});
