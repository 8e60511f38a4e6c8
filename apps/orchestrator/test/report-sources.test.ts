import {
  commitId,
  type CommitId,
  type Finding,
  type RunReport,
  type SourceRange,
} from '@switchyard/protocol';
import { expect, it } from 'vitest';
import { withSources } from '../src/report-sources.ts';

const finding = (line: number | undefined, over: Partial<Finding> = {}): Finding => ({
  ...{ severity: 'minor', category: 'style', description: 'It is long', rule: 'style/long', file: 'a.ts' },
  ...(line !== undefined && { line }),
  ...{ references: [] },
  ...over,
});
const [first, second] = ['a', 'b'].map((digit) => commitId.parse(digit.repeat(40)));

/** What is read of attempts alone. */
function reportOf(attempts: readonly { commit?: CommitId | undefined; reviews: Finding[][] }[]): RunReport {
  const list = attempts.map(({ commit, reviews }) => ({
    commit,
    reviews: reviews.map((findings) => ({ findings })),
  }));
  return { tasks: [{ attempts: list }] } as unknown as RunReport;
}

function shownIn(report: RunReport): (readonly string[] | undefined)[][][] {
  return report.tasks.flatMap(({ attempts }) =>
    attempts.map(({ reviews }) =>
      reviews.map(({ findings }) =>
        findings.map(({ excerpt }) => excerpt && [String(excerpt.from), ...excerpt.lines]),
      ),
    ),
  );
}

it('each finding gets the lines of the commit that was reviewed', async () => {
  const asked: CommitId[] = [];
  const repository = {
    sourceLines: (commit: CommitId, ranges: readonly SourceRange[]) => {
      asked.push(commit);
      return Promise.resolve(
        ranges.map(({ file, from }) => (file === 'gone' ? undefined : [`${file} ${from}`])),
      );
    },
  };
  const secret = finding(40, { rule: 'secretlint/aws' });
  const report = reportOf([
    {
      commit: first,
      reviews: [
        [finding(10), finding(undefined)],
        [secret, finding(20, { file: 'gone' }), finding(30)],
      ],
    },
    { commit: undefined, reviews: [[finding(1)]] },
    { commit: second, reviews: [[secret]] },
  ]);
  expect(shownIn(await withSources(report, repository))).toEqual([
    [
      [['8', 'a.ts 8'], undefined],
      [undefined, undefined, ['28', 'a.ts 28']],
    ],
    [[undefined]],
    [[undefined]],
  ]);
  expect(asked).toEqual([first]);
});
