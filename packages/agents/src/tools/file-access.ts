import type { FileGuard } from '../file-guard.ts';

/** The files of an attempt, or of a review, as tools reach them: behind the guard, and behind what the mode leaves. */
export type FileAccess = Pick<
  FileGuard,
  | 'readFile'
  | 'writeFile'
  | 'applyDiff'
  | 'insertContent'
  | 'listFiles'
  | 'searchFiles'
  | 'move'
  | 'remove'
  | 'explain'
>;

/** Whether a folder is there that may be looked at. */
export function isFolder(files: FileAccess, path: string): boolean {
  return files.explain(path, 'list').allowed;
}
