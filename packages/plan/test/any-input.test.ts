import { parsePlan } from '@switchyard/plan';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const keys = fc.constantFrom(
  'id',
  'taskId',
  'workspace',
  'dependsOn',
  'executor',
  'run',
  'kind',
  'review',
  'mode',
  'reviewRequired',
  'estimate',
  'estimatedRPM',
  'acceptance',
  'reads',
  'tasks',
  'defaults',
  'limits',
  'verify',
  'x',
);
const leaf = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('A', 'B', 'src', 'implement', 'manual', 'command', 'make'),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 5 }),
  ),
}));

/** A plan, or problems of which at least one is an error; never an exception, never both, never neither. */
function expectAnAnswer(text: string): void {
  const { plan, problems } = parsePlan(text, { file: 'p' });
  expect(problems.some((problem) => problem.severity === 'error')).toBe(plan === undefined);
}

describe('whatever the file holds', () => {
  it('any text gets an answer', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), expectAnAnswer), { numRuns: 500 });
  });

  it('any YAML punctuation gets an answer', () => {
    const text = fc.array(
      fc.constantFrom(
        'tasks',
        ':',
        ' ',
        '\n',
        '-',
        '  ',
        '[',
        ']',
        '{',
        '}',
        ',',
        '&a',
        '*a',
        '<<',
        '|',
        '>',
        '"',
        "'",
        '#',
        '?',
        '!',
        '!!str',
        'id',
        'A',
        '---',
        '%',
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(text, (parts) => expectAnAnswer(parts.join(''))),
      { numRuns: 1000 },
    );
  });

  it('any values under any known keys get an answer', () => {
    fc.assert(
      fc.property(value, (any) => expectAnAnswer(JSON.stringify(any) ?? '')),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.array(fc.dictionary(keys, value)), (tasks) => expectAnAnswer(JSON.stringify({ tasks }))),
      { numRuns: 1000 },
    );
  });
});
