import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError, messageOf } from '@switchyard/protocol';

/** Writes a file that a person has asked for, with its folders. Throws AppError E_IO with its path. */
export async function putFile(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  } catch (cause) {
    throw new AppError('E_IO', `${file} cannot be written: ${messageOf(cause)}`, { cause });
  }
}
