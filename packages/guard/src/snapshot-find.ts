/**
 * The entries of a tree by `find`, which is four times as fast as asking for each from here. What it tells is taken
 * apart while it still looks.
 */
import { isUtf8 } from 'node:buffer';
import { spawn } from 'node:child_process';
import { AppError } from '@switchyard/protocol';
import { Entry } from './snapshot-entry.ts';

export const gnuFind = '/usr/bin/find';
const format = '%y %m %n %i %s %T@ %C@\\0%P\\0%l\\0';

/** Follows no link. Rejects with E_IO when `find` cannot be started, or was killed before it told all. */
export async function findEntries(
  descriptor: number,
  exclude: ReadonlySet<string>,
): Promise<Map<string, Entry>> {
  const prune = [...exclude].flatMap((path) => ['-path', `./${escapeGlob(path)}`, '-prune', '-o']);
  const child = spawn(gnuFind, ['.', '-mindepth', '1', ...prune, '-printf', format], {
    cwd: `/proc/self/fd/${descriptor}`,
    env: { LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const reader = new EntryReader();
  child.stdout.on('data', (chunk: Buffer) => reader.read(chunk));
  await new Promise<void>((resolve, reject) => {
    child.once('error', (error) =>
      reject(new AppError('E_IO', 'find could not be started', { cause: error })),
    );
    // A failure is a folder that vanished meanwhile, or may not be read; one that is killed has not told all.
    child.once('close', (_code, signal) =>
      signal === null ? resolve() : reject(new AppError('E_IO', `find was ended by ${signal}: look again`)),
    );
  });
  return reader.entries;
}

function escapeGlob(path: string): string {
  return path.replace(/[\\*?[\]]/g, '\\$&');
}

/** Takes the output of `find` apart as it comes: three fields an entry, each with a NUL behind it. */
class EntryReader {
  readonly entries = new Map<string, Entry>();
  /** Of a field that is not whole yet. */
  #bytes: Buffer = Buffer.alloc(0);
  /** Fields of an entry that is not whole yet. */
  #fields = '';

  read(chunk: Buffer): void {
    const bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    const end = bytes.lastIndexOf(0) + 1;
    this.#bytes = bytes.subarray(end);
    const text = this.#fields + textOf(bytes.subarray(0, end));
    this.#fields = text.slice(this.#take(text));
  }

  /** Takes the whole entries of a text; answers where the rest begins. */
  #take(text: string): number {
    for (let at = 0; ;) {
      const factsEnd = text.indexOf('\0', at);
      const pathEnd = factsEnd < 0 ? -1 : text.indexOf('\0', factsEnd + 1);
      const end = pathEnd < 0 ? -1 : text.indexOf('\0', pathEnd + 1);
      if (end < 0) return at;
      const target = text.startsWith('l', at) ? text.slice(pathEnd + 1, end) : undefined;
      this.entries.set(text.slice(factsEnd + 1, pathEnd), new Entry(text.slice(at, factsEnd), target));
      at = end + 1;
    }
  }
}

/** Names need not be UTF-8: bytes that are not are kept apart as `\\xff`, so that no two names become one. */
function textOf(output: Buffer): string {
  if (isUtf8(output)) return output.toString('utf8');
  const fields: string[] = [];
  for (let at = 0; at < output.length;) {
    const end = output.indexOf(0, at);
    const field = output.subarray(at, end);
    fields.push(isUtf8(field) ? field.toString('utf8') : escapeBytes(field));
    at = end + 1;
  }
  return `${fields.join('\0')}\0`;
}

function escapeBytes(name: Buffer): string {
  return name.toString('latin1').replace(/[\x80-\xff]/g, (sign) => `\\x${sign.charCodeAt(0).toString(16)}`);
}
