import { open, type FileHandle } from 'node:fs/promises';
import { boxesToTick } from '@switchyard/plan';
import { AppError, limits, messageOf } from '@switchyard/protocol';

/**
 * Ticks the boxes of a Markdown plan whose tasks are completed; the answer is what they say. Each tick is one byte
 * written in place, so that every other byte, the mode and the links of the file stay; the file is read anew for it, so
 * that what people have changed meanwhile counts. Throws AppError E_USAGE for a file that cannot be read or written, is
 * no UTF-8, or changes again and again.
 */
export async function tickPlan(
  path: string,
  shown: string,
  isCompleted: (taskId: string) => boolean,
): Promise<string[]> {
  const file = await open(path, 'r+').catch((cause: unknown) => {
    throw new AppError('E_USAGE', `the plan ${shown} cannot be ticked: ${messageOf(cause)}`, { cause });
  });
  try {
    const ticked: string[] = [];
    for (let changes = 0; changes < changesMax;) {
      const text = await readWhole(file, shown);
      const [box] = boxesToTick(text, isCompleted);
      if (box === undefined) return ticked;
      if (text === (await readWhole(file, shown))) {
        await file.write('x', Buffer.byteLength(text.slice(0, box.mark)));
        ticked.push(box.text);
      } else changes += 1;
    }
    throw new AppError('E_USAGE', `the plan ${shown} changes all the time; tick it when nobody writes it`);
  } finally {
    await file.close();
  }
}

/** How often somebody else may write the file while it is being ticked. */
const changesMax = 10;

async function readWhole(file: FileHandle, shown: string): Promise<string> {
  const bytes = Buffer.alloc(limits.markdownPlanBytes + 1);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
  if (bytesRead > limits.markdownPlanBytes)
    throw new AppError('E_USAGE', `the plan ${shown} is larger than ${limits.markdownPlanBytes} bytes`);
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return decoder.decode(bytes.subarray(0, bytesRead));
  } catch (cause) {
    throw new AppError('E_USAGE', `the plan ${shown} is no UTF-8 text; save it as UTF-8`, { cause });
  }
}
