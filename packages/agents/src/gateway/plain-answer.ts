import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/**
 * An answer as it is without compression. None is asked for, and some send it nevertheless: what is spent, and that
 * there is nothing left, could not be read in it.
 */
export function plainAnswer(answer: IncomingMessage): {
  readonly body: Readable;
  readonly headers: IncomingHttpHeaders;
} {
  const { 'content-encoding': encoding = '', ...headers } = answer.headers;
  const decoder = decoders[encoding.trim().toLowerCase()];
  if (decoder === undefined) return { body: answer, headers: answer.headers };
  // Where one of the two fails the other is told, and whoever reads it.
  return { body: pipeline(answer, decoder(), () => undefined), headers };
}
