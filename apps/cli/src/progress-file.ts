import { open, type FileHandle } from 'node:fs/promises';
import { mergeProgress, type ProgressSection } from '@switchyard/report';
import { AppError, messageOf } from '@switchyard/protocol';

/** How often somebody else may write the file while it is being brought up to date. */
const changesMax = 10;
const bytesMax = 4 * 1024 * 1024;

/** What became of the file. */
export interface WrittenProgress {
  readonly isChanged: boolean;
  readonly kept: readonly string[];
}

/**
 * Brings a progress document up to date, making it if need be. It is written in place, so that its mode and its links
 * stay, and read anew right before that, so that what people have changed meanwhile counts. Throws AppError E_USAGE.
 */
export async function writeProgress(
  path: string,
  shown: string,
  sections: readonly ProgressSection[],
): Promise<WrittenProgress> {
  const file = await openFile(path, shown);
  try {
    for (let changes = 0; changes < changesMax; changes += 1) {
      const before = await readWhole(file, shown);
      const { text, kept } = mergeProgress(before, sections);
      if (text === before) return { isChanged: false, kept };
      if (before !== (await readWhole(file, shown))) continue;
      const bytes = Buffer.from(text);
      await file.write(bytes, 0, bytes.length, 0);
      await file.truncate(bytes.length);
      return { isChanged: true, kept };
    }
    throw new AppError('E_USAGE', `${shown} changes all the time; bring it up to date when nobody writes it`);
  } finally {
    await file.close();
  }
}

async function openFile(path: string, shown: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+').catch(() => open(path, 'wx+'));
  } catch (cause) {
    throw new AppError('E_USAGE', `${shown} cannot be written: ${messageOf(cause)}`, { cause });
  }
}

async function readWhole(file: FileHandle, shown: string): Promise<string> {
  const bytes = Buffer.alloc(bytesMax + 1);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
  if (bytesRead > bytesMax) throw new AppError('E_USAGE', `${shown} is larger than ${bytesMax} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, bytesRead));
  } catch (cause) {
    throw new AppError('E_USAGE', `${shown} is no UTF-8 text; save it as UTF-8`, { cause });
  }
}
