import type { Finding, RunReport } from '@switchyard/protocol';
import { expect, it } from 'vitest';
import { runSarif } from '../src/run-sarif.ts';

type Task = RunReport['tasks'][number];

const finding = (description: string, severity: Finding['severity'] = 'minor'): Finding => ({
  ...{ severity, category: 'style', file: 'src/a.ts', line: 3, description, references: [] },
});
const review = (...findings: Finding[]) => ({ findings }) as Task['attempts'][number]['reviews'][number];
const task = (...attempts: ReturnType<typeof review>[][]): Task =>
  ({ attempts: attempts.map((reviews) => ({ reviews })) }) as Task;

it('has what the last reviewed attempt of each task left standing, once, most severe first', () => {
  const tasks = [
    task([review(finding('sent back', 'critical'))], [review(finding('small'))], []),
    task([review(finding('grave', 'major')), review(finding('grave', 'major'), finding('small'))]),
    task(),
  ];
  const [run] = runSarif({ tasks }, '/home/me/shop').runs;
  expect(run?.results.map(({ level, message }) => [level, message.text])).toEqual([
    ['error', 'grave'],
    ['warning', 'small'],
  ]);
  expect(run?.originalUriBaseIds).toEqual({ '%SRCROOT%': { uri: 'file:///home/me/shop/' } });
});
