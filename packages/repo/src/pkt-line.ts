/** Git's framing: four hexadecimal digits of length, which count themselves; `0000` ends a section. */
export type PktLine = { readonly kind: 'data'; readonly data: Buffer } | { readonly kind: 'flush' };

export type PktResult =
  | { readonly kind: 'line'; readonly line: PktLine; readonly end: number }
  | { readonly kind: 'more' }
  | { readonly kind: 'wrong' };

/** The line that begins at an offset; `more` when it is not whole yet. */
export function readPktLine(buffer: Buffer, at: number): PktResult {
  if (buffer.length < at + 4) return { kind: 'more' };
  const digits = buffer.toString('latin1', at, at + 4);
  if (!/^[0-9a-f]{4}$/i.test(digits)) return { kind: 'wrong' };
  const length = Number.parseInt(digits, 16);
  if (length === 0) return { kind: 'line', line: { kind: 'flush' }, end: at + 4 };
  if (length < 4) return { kind: 'wrong' };
  if (buffer.length < at + length) return { kind: 'more' };
  return {
    kind: 'line',
    line: { kind: 'data', data: buffer.subarray(at + 4, at + length) },
    end: at + length,
  };
}

/** One line of text. */
export function pktLine(text: string): string {
  return (Buffer.byteLength(text) + 4).toString(16).padStart(4, '0') + text;
}
