import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HeadBuffer, OutputBuffer } from '../src/output-buffer.ts';

it('head and tail of an output are kept to the byte, in whatever pieces it comes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 40 }),
      fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 30 })),
      (limit, pieces) => {
        const [both, first] = [new OutputBuffer(limit), new HeadBuffer(limit)];
        for (const piece of pieces) for (const buffer of [both, first]) buffer.add(Buffer.from(piece));
        const all = pieces.join('');
        const left = all.length - limit;
        const headMax = Math.ceil(limit / 2);
        const tail = all.slice(all.length - (limit - headMax));
        expect(both.totalBytes).toBe(all.length);
        expect(both.text()).toBe(
          left <= 0 ? all : `${all.slice(0, headMax)}\n[... ${left} bytes left out ...]\n${tail}`,
        );
        expect(Buffer.from(first.bytes()).toString()).toBe(all.slice(0, limit));
        expect(first.truncated).toBe(left > 0);
      },
    ),
  );
});

it('a flood of single bytes takes no more memory than what is kept of it', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const buffer = new OutputBuffer(256 * 1024);
  const before = used();
  for (let count = 0; count < 400_000; count += 1) buffer.add(Buffer.from(new ArrayBuffer(1)));
  expect(used() - before).toBeLessThan(4 * 1024 * 1024);
  expect(buffer.text()).toContain('[... 137856 bytes left out ...]');
});
