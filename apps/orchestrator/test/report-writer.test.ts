import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { attemptFolder } from '@switchyard/peer';
import { fence, peerId, runReport, taskId } from '@switchyard/protocol';
import { buildPlan, buildTask } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileReports } from '../src/report-writer.ts';
import { reportForWire } from '../src/run-report.ts';
import { Bench } from './bench.ts';
import { receiptOf } from './fakes.ts';
import { BenchWorker } from './peers.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'switchyard-reports-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function someReport() {
  const bench = new Bench();
  const worker = await BenchWorker.connect(bench, 'worker-1');
  worker.diligent = true;
  const run = await bench.submit(buildPlan([buildTask({ id: 'a' })]));
  await bench.until(() => bench.reports.written.has(run));
  const report = bench.reports.written.get(run);
  if (report === undefined) throw new Error('no report');
  return report;
}

describe('reports on disk', () => {
  it('are three files that only their owner reads; the JSON is the whole model', async () => {
    const report = await someReport();
    const reports = new FileReports(folder);
    expect(reports.find(report.view.run)).toBeUndefined();
    const files = await reports.write(report);
    expect(reports.find(report.view.run)).toEqual(files);
    expect(readFileSync(files.markdown, 'utf8')).toContain(report.view.run);
    expect(readFileSync(files.html, 'utf8')).toContain('<svg');
    expect(runReport.parse(JSON.parse(readFileSync(files.json, 'utf8')))).toEqual(runReport.parse(report));
    for (const file of Object.values(files)) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, report.view.run))).toHaveLength(3);
  });

  it('lead to what the agents of this machine said and did', async () => {
    const report = await someReport();
    const { run } = report.view;
    const work = { run, taskId: taskId.parse('a'), fence: fence.parse(1), worker: peerId.parse('worker-1') };
    const reports = new FileReports(join(folder, 'runs'));
    expect(reports.transcriptOf(work)).toBeUndefined();
    const name = `${attemptFolder(work)}.ndjson`;
    const kept = join(folder, 'peers', 'worker-1', 'transcripts');
    mkdirSync(kept, { recursive: true });
    writeFileSync(join(kept, name), '{}\n');
    const transcript = reports.transcriptOf(work);
    expect(transcript).toBe(`peers/worker-1/transcripts/${name}`);
    const tasks = report.tasks.map((task) => ({
      ...task,
      attempts: task.attempts.map((attempt) => ({ ...attempt, transcript })),
    }));
    const files = await reports.write({ ...report, tasks });
    const target = `../../${transcript}`;
    expect(readFileSync(files.markdown, 'utf8')).toContain(`(<${target}>)`);
    const html = readFileSync(files.html, 'utf8');
    const href = /href="([^"]+)">what its agent/.exec(html)?.[1] ?? '';
    expect(readFileSync(resolve(dirname(files.html), decodeURIComponent(href)), 'utf8')).toBe('{}\n');
  });

  it('count only when they are whole', async () => {
    const report = await someReport();
    const reports = new FileReports(folder);
    mkdirSync(join(folder, report.view.run, 'report.html.new'), { recursive: true });
    await expect(reports.write(report)).rejects.toThrow();
    expect(reports.find(report.view.run)).toBeUndefined();
    rmSync(join(folder, report.view.run, 'report.html.new'), { recursive: true });
    expect(await reports.write(report)).toEqual(reports.find(report.view.run));
  });
});

describe('a report over the wire', () => {
  it('of a small run is whole', async () => {
    const report = await someReport();
    expect(reportForWire(report)).toEqual(report);
  });

  it('of a very large one leaves out early events and most of the output', async () => {
    const report = await someReport();
    const [event] = report.events;
    const [task] = report.tasks;
    const [attempt] = task?.attempts ?? [];
    if (event === undefined || task === undefined || attempt === undefined) throw new Error('nothing there');
    const receipt = { ...receiptOf(report.view.base, { command: 'x' }), outputTail: 'y'.repeat(8_000) };
    const large = {
      ...report,
      events: Array.from({ length: 20_000 }, (_, place) => ({ ...event, seq: place })),
      tasks: Array.from({ length: 5_000 }, () => ({
        ...task,
        attempts: [{ ...attempt, receipts: [receipt] }],
      })),
    };
    const sent = reportForWire(large);
    expect(sent.events).toHaveLength(5_000);
    expect(sent.events.at(-1)?.seq).toBe(19_999);
    expect(JSON.stringify(sent).length).toBeLessThan(12 * 1024 * 1024);
    expect(sent.tasks[0]?.attempts[0]?.receipts[0]).toMatchObject({ truncated: true, exitCode: 0 });
  });
});
