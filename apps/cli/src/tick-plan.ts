import { readSync, writeSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { boxesToTick } from '@switchyard/plan';
import { AppError, limits, messageOf } from '@switchyard/protocol';

/** Which boxes of a plan are ticked. */
export interface TickOptions {
  /** The path as a person wrote it. */
  readonly shown: string;
  readonly isCompleted: (taskId: string) => boolean;
  /** What boxes say that stay as they are. */
  readonly leave?: ReadonlySet<string>;
}

/** What the boxes say. */
export interface Ticks {
  readonly ticked: readonly string[];
  /** Could be ticked, but is to be left. */
  readonly left: readonly string[];
}

/**
 * Ticks the boxes of a Markdown plan whose tasks are completed. Each tick is one byte written in place, so that every
 * other byte, the mode and the links of the file stay; the file is read anew for it, so that what people have changed
 * meanwhile counts. Throws AppError E_USAGE for a file that cannot be read or written, is no UTF-8, or changes again
 * and again.
 */
export async function tickPlan(
  path: string,
  { shown, isCompleted, leave = new Set() }: TickOptions,
): Promise<Ticks> {
  const file = await open(path, 'r+').catch((cause: unknown) => {
    throw new AppError('E_USAGE', `the plan ${shown} cannot be ticked: ${messageOf(cause)}`, { cause });
  });
  try {
    const ticked: string[] = [];
    for (let changes = 0; changes < changesMax;) {
      const text = readWhole(file, shown);
      const boxes = boxesToTick(text, isCompleted);
      const box = boxes.find(({ text: said }) => !leave.has(said));
      if (box === undefined) return { ticked, left: boxes.map(({ text: said }) => said) };
      const at = Buffer.byteLength(text.slice(0, box.mark));
      // Nothing else of this process comes between the look and the tick.
      if (text === readWhole(file, shown)) {
        writeSync(file.fd, 'x', at);
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

function readWhole(file: FileHandle, shown: string): string {
  const bytes = Buffer.alloc(limits.markdownPlanBytes + 1);
  const bytesRead = readSync(file.fd, bytes, 0, bytes.length, 0);
  if (bytesRead > limits.markdownPlanBytes)
    throw new AppError('E_USAGE', `the plan ${shown} is larger than ${limits.markdownPlanBytes} bytes`);
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return decoder.decode(bytes.subarray(0, bytesRead));
  } catch (cause) {
    throw new AppError('E_USAGE', `the plan ${shown} is no UTF-8 text; save it as UTF-8`, { cause });
  }
}
