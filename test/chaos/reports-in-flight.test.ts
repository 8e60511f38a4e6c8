import { connect } from 'node:net';
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../scenarios/harness.ts';
import { chaosPlan } from './chaos-plan.ts';
import { Fleet, peerNames, type PeerName } from './fleet.ts';
import { factsOf, readRunFacts } from './journal-facts.ts';
import { leftBehind } from './left-behind.ts';
import { Recorder, ReportCutter } from './report-taps.ts';
import { haveArrived, judgeRun, readEvidence, reportFile } from './run-evidence.ts';

const files = { 'readme.txt': 'a repository\n', 'plan.yaml': chaosPlan(6, 'batch') };
const waitMs = 10 * 60_000;
const fleets: Fleet[] = [];
afterEach(async () => {
  await Promise.all(fleets.splice(0).map((fleet) => fleet.scenario.close()));
});

async function endOf(fleet: Fleet, run: string): Promise<void> {
  const file = reportFile(fleet.scenario, run);
  await until(`the end of ${run}`, () => (existsSync(file) ? true : undefined), waitMs);
}

describe('terminal reports', () => {
  it('arrive once each, cut off before the hub has them and again before its word comes back', async () => {
    const cutters = new Map<PeerName, ReportCutter>(peerNames.map((name) => [name, new ReportCutter()]));
    const fleet = await Fleet.start({
      files,
      leaseMs: 120_000,
      tap: (name) => (chunk, direction, passage) =>
        cutters.get(name)?.pass(chunk, direction, passage) ?? true,
    });
    fleets.push(fleet);
    const run = await fleet.submit('plan.yaml');
    await endOf(fleet, run);
    // The run needs each report once at the hub; its sender needs the word that comes back, some time later.
    await until('the last word of the hub', () => haveArrived(fleet.scenario) || undefined, waitMs);
    await fleet.stop();
    const evidence = readEvidence(fleet.scenario, run);
    expect([
      ...judgeRun(fleet.scenario, evidence, undefined),
      ...fleet.surprises(),
      ...leftBehind(fleet),
    ]).toEqual([]);
    // Six tasks, one of them twice; the reviews of three attempts.
    const sent = [...cutters.values()].flatMap((cutter) => [...cutter.sent.values()]);
    expect(sent.length).toBeGreaterThanOrEqual(7 + 3);
    expect(Math.min(...sent)).toBeGreaterThanOrEqual(3);
    expect(factsOf(evidence.facts, 'task-submitted')).toHaveLength(7);
    expect(factsOf(evidence.facts, 'attempt-lost')).toEqual([]);
  }, 1_500_000);

  it('change nothing when all that a peer ever sent is sent again on a new connection', async () => {
    const recorders = new Map<PeerName, Recorder>(peerNames.map((name) => [name, new Recorder()]));
    const fleet = await Fleet.start({
      files,
      tap: (name) => (chunk, direction, passage) =>
        recorders.get(name)?.pass(chunk, direction, passage) ?? true,
    });
    fleets.push(fleet);
    const run = await fleet.submit('plan.yaml');
    await endOf(fleet, run);
    const branch = `switchyard/${run}`;
    const before = [readRunFacts(fleet.scenario.state, run), fleet.scenario.git('rev-parse', branch)];
    for (const [name, recorder] of recorders) {
      const recordings = recorder.recordings();
      expect(recordings.length).toBeGreaterThan(0);
      // The peer itself is away meanwhile: its name is in use once at a time.
      fleet.relay(name).refuse();
      // And it would be told why: each was reported before.
      for (const { bytes, reports } of recordings)
        expect(await replay(fleet, bytes, reports)).toContain('its end was reported before');
      fleet.relay(name).pass();
    }
    expect([readRunFacts(fleet.scenario.state, run), fleet.scenario.git('rev-parse', branch)]).toEqual(
      before,
    );
    const second = await fleet.submit('plan.yaml');
    await endOf(fleet, second);
    await fleet.stop();
    for (const each of [run, second])
      expect(judgeRun(fleet.scenario, readEvidence(fleet.scenario, each), undefined)).toEqual([]);
    expect(fleet.surprises()).toEqual([]);
  }, 1_500_000);
});

/** Sends recorded bytes to the hub and waits until it has acknowledged every report among them: what it said. */
async function replay(fleet: Fleet, bytes: Buffer, reports: readonly string[]): Promise<string> {
  const { url } = await fleet.scenario.orchestrator();
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => socket.destroy());
  socket.write(bytes);
  // An ack names the message it is for.
  await until(
    'the word of the hub',
    () => (reports.every((id) => answer.includes(id)) ? true : undefined),
    waitMs,
  );
  socket.destroy();
  await closed;
  return answer;
}
