import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** A longer line is cut: it would be held in memory as a whole. */
const lineMax = 8 * 1024 * 1024;

/** Calls back with each line of a stream, without its end; resolves when the stream has ended. */
export async function eachLine(stream: Readable, take: (line: string) => void): Promise<void> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.write(chunk as Buffer)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line.replace(/\r$/, ''));
    if (rest.length > lineMax) {
      take(rest);
      rest = '';
    }
  }
  rest += decoder.end();
  if (rest !== '') take(rest);
}
