/**
 * Paths as git keeps them are bytes. Inside this package they are strings of one character a byte ("raw"), so that
 * nothing is lost and prefixes compare byte for byte; at the door they are text.
 */
export type RawPath = string & { readonly raw: unique symbol };

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A raw path of bytes that git printed. */
export function rawOfBytes(bytes: Uint8Array): RawPath {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1') as RawPath;
}

/** A raw path of text. */
export function rawOf(text: string): RawPath {
  return Buffer.from(text, 'utf8').toString('latin1') as RawPath;
}

/** The bytes of a raw path. */
export function bytesOf(path: RawPath): Buffer {
  return Buffer.from(path, 'latin1');
}

/** The text of a raw path; nothing if it is not UTF-8. */
export function textOf(path: RawPath): string | undefined {
  try {
    return decoder.decode(bytesOf(path));
  } catch {
    // Not UTF-8; callers decide.
    return undefined;
  }
}

/** The text of a raw path for people: bytes that are no UTF-8 are shown as `\xNN`. */
export function shownPath(path: RawPath): string {
  const text = textOf(path);
  if (text !== undefined) return text;
  return path.replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
}

/** A path inside another. */
export function joined(folder: RawPath, name: RawPath): RawPath {
  return (folder === '' ? name : `${folder}/${name}`) as RawPath;
}

/** Whether `path` is `folder` or lies in it; `.` and the empty path hold everything. */
export function isWithin(path: RawPath, folder: RawPath): boolean {
  return folder === '.' || folder === '' || path === folder || path.startsWith(`${folder}/`);
}

/** The raw strings between NUL bytes. */
export function splitNul(output: Buffer): RawPath[] {
  const parts = output.toString('latin1').split('\0');
  if (parts.at(-1) === '') parts.pop();
  return parts as RawPath[];
}
