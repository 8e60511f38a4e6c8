import { isAppError } from '@switchyard/protocol';
import type { AgentEvent } from '../agent-event.ts';
import type { FileAccess } from '../tools/file-access.ts';

/** The same files; what is changed in them is told as an event. */
export function tellingFiles(files: FileAccess, tell: (event: AgentEvent) => void): FileAccess {
  const changing = async (path: string, change: () => Promise<void>): Promise<void> => {
    const before = await textOf(files, path);
    await change();
    const after = await textOf(files, path);
    tell({ kind: 'diff', path, ...(before !== undefined && { before }), after: after ?? '' });
  };
  return {
    readFile: (path) => files.readFile(path),
    listFiles: (path, options) => files.listFiles(path, options),
    searchFiles: (path, pattern) => files.searchFiles(path, pattern),
    explain: (path, intent) => files.explain(path, intent),
    move: (from, to) => files.move(from, to),
    remove: (path) => files.remove(path),
    writeFile: (path, content) => changing(path, () => files.writeFile(path, content)),
    applyDiff: (path, diff) => changing(path, () => files.applyDiff(path, diff)),
    insertContent: (path, line, content) => changing(path, () => files.insertContent(path, line, content)),
  };
}

/** Nothing of what is not there, or may not be read: the change itself says what is wrong with it. */
async function textOf(files: FileAccess, path: string): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await files.readFile(path));
  } catch (error) {
    if (isAppError(error)) return undefined;
    throw error;
  }
}
