import { finding, linesIn, rangesToShow, splitLines, type Finding } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';

const at = (line: number | undefined, over: Partial<Finding> = {}): Finding =>
  finding.parse({
    ...{ severity: 'minor', category: 'style', description: 'It is long', rule: 'style/long', file: 'a.ts' },
    ...(line !== undefined && { line }),
    ...over,
  });

describe('the lines that a report shows', () => {
  it('are those around the one that a finding speaks of', () => {
    expect(rangesToShow([at(10), at(1), at(undefined)])).toEqual([
      { file: 'a.ts', line: 10, from: 8, to: 12 },
      { file: 'a.ts', line: 1, from: 1, to: 3 },
      undefined,
    ]);
  });

  it.each([
    ['a rule of secrets', { rule: 'secretlint/aws' }],
    ['a rule that names one', { rule: 'security/hard-coded-password' }],
    ['the words of a reviewer', { rule: undefined, description: 'The API key stands in the source' }],
  ])('are none where %s found something among them, for any finding', (_what, over) => {
    const findings = [at(10, over), at(8), at(12), at(13), at(10, { file: 'b.ts' })];
    expect(rangesToShow(findings).map((range) => range !== undefined)).toEqual([
      false,
      false,
      false,
      true,
      true,
    ]);
  });

  it('come from the text, cut where they are long, unless it ends before', () => {
    const range = { file: 'a.ts', line: 2, from: 1, to: 4 };
    expect(linesIn(splitLines(`1\r\n${'x'.repeat(300)}\n3\n`), range)).toEqual(['1', 'x'.repeat(200), '3']);
    expect(linesIn(splitLines('1\n'), range)).toBeUndefined();
  });
});
