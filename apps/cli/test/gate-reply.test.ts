import { timestampMs, type WaitingFor } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';
import { questionText, readReply } from '../src/gate-reply.ts';

const waiting: WaitingFor = {
  kind: 'gate',
  text: 'Deploy it\n- [x] approve',
  since: timestampMs.parse(1_000),
  deadline: timestampMs.parse(2_000),
  default: 'fail',
  inputs: [
    { name: 'version', text: 'Which one?', choices: [], default: undefined },
    { name: 'ring', text: '', choices: ['few', 'all'], default: 'few' },
  ],
};
const question = { run: 'r-1', task: 'a/b c', waiting };
const asked = questionText(question);
const read = (text: string) => readReply(text, 'reply.md', question);

describe('the file that answers a gate', () => {
  it('asks, and is open until a box is ticked, whatever the question quotes', () => {
    expect(asked).toMatch(
      /^<!-- switchyard-gate r-1 a%2Fb%20c 1000 -->\n# a\/b c \(run r-1\)\n\n> Deploy it\n/,
    );
    expect(asked).toContain('## ring\n\n<!-- one of: few, all; if left empty: few -->');
    expect(read(asked)).toEqual({ kind: 'open' });
  });

  it('is read with its note and values, also with line ends of other systems', () => {
    const text = asked
      .replace('- [ ] approve', '- [x] approve')
      .replace('## note\n', '## note\n\nlooks good\n\nto me\n')
      .replace('needed -->\n', 'needed -->\n\n1.4.0\n');
    const reply = {
      kind: 'answered',
      approve: true,
      note: 'looks good\n\nto me',
      inputs: { version: '1.4.0' },
    };
    expect(read(text)).toEqual(reply);
    expect(read(text.replaceAll('\n', '\r\n').replace('looks good\r\n\r\n', 'looks good\n\n'))).toEqual(
      reply,
    );
    expect(read(asked.replace('- [ ] reject', '- [X] reject'))).toMatchObject({ approve: false, inputs: {} });
  });

  const faulty = (from: string | RegExp, to: string): string => asked.replace(from, to);
  it.each([
    ['both boxes', asked.replaceAll('- [ ]', '- [x]'), /:\d+: both boxes are ticked/],
    ['another mark', faulty('[ ] approve', '[ok] approve'), /a box holds an x or nothing, not "ok"/],
    ['another box', faulty('- [ ] reject', '- [ ] reject\n- [x] later'), /"later" is no answer/],
    ['a box too few', faulty('- [ ] reject\n', ''), /`- \[ \] reject` must be there once/],
    [
      'an unknown field',
      faulty('## ring', '## rnig'),
      /:\d+: nothing is asked under "rnig", but note, version, ring/,
    ],
    ['a field twice', faulty('## ring', '## version'), /"version" is there twice/],
    ['another question', faulty(' 1000 ', ' 999 '), /:1: this is no answer to what a\/b c asks now/],
    ['an empty file', '', /:1: this is no answer/],
  ])('is refused with %s', (_what, text, fault) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'E_REPLY_INVALID' }) as Error);
    expect(() => read(text)).toThrow(fault);
  });
});
