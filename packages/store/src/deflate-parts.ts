import { createDeflateRaw } from 'node:zlib';

/** Deflates text in pieces, in the thread pool: what the loop has to do goes first. */
export async function deflateParts(parts: readonly string[]): Promise<Buffer> {
  const deflate = createDeflateRaw({ level: 1 });
  const chunks: Buffer[] = [];
  deflate.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<void>((resolve, reject) => {
    deflate.once('end', resolve);
    deflate.once('error', reject);
  });
  for (const part of parts) {
    if (!deflate.write(part)) await new Promise<void>((resolve) => deflate.once('drain', resolve));
  }
  deflate.end();
  await ended;
  return Buffer.concat(chunks);
}
