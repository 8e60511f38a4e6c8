import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { confirmed } from '../src/draft-hand-over.ts';

describe('the question before a plan is written', () => {
  it.each([
    ['y\n', true],
    ['YES\n', true],
    ['\n', false],
    ['n\n', false],
    ['yesterday\n', false],
    ['', false],
  ])('takes %j for %s', async (typed, expected) => {
    const input = new PassThrough();
    const output = new PassThrough();
    const answer = confirmed('Write it?', { input, output });
    input.end(typed);
    expect(await answer).toBe(expected);
    expect(String(output.read())).toContain('Write it? [y/N]');
  });
});
