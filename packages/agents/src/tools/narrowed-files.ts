import { posix } from 'node:path';
import { createContext, Script } from 'node:vm';
import { AppError } from '@switchyard/protocol';
import { isFolder, type FileAccess } from './file-access.ts';
import { grantOf, type ToolRights } from './tool-groups.ts';

/** How long a pattern may think about one path; one that needs longer explodes, and matches nothing. */
const patternMs = 200;

/**
 * The files as a mode's `edit` grant leaves them: with a `fileRegex`, only files whose own path below the root matches
 * are changed, through no link (a link's name says nothing of the file). Without one, the files as they are.
 */
export function narrowedFiles(files: FileAccess, root: string, rights: ToolRights): FileAccess {
  const fileRegex = grantOf(rights, 'edit')?.fileRegex;
  if (fileRegex === undefined) return files;
  const check = async (asked: string): Promise<void> => {
    const path = relativePath(root, asked);
    if (!matches(fileRegex, path)) throw refusal(rights, asked);
    await checkNoLink(files, path);
  };
  return {
    readFile: (path) => files.readFile(path),
    explain: (path, intent) => files.explain(path, intent),
    listFiles: (path, options) => files.listFiles(path, options),
    searchFiles: (path, pattern) => files.searchFiles(path, pattern),
    async writeFile(path, content) {
      await check(path);
      await files.writeFile(path, content);
    },
    async applyDiff(path, diff) {
      await check(path);
      await files.applyDiff(path, diff);
    },
    async insertContent(path, line, content) {
      await check(path);
      await files.insertContent(path, line, content);
    },
    async move(from, to) {
      await check(from);
      await check(to);
      await checkAllBelow(files, from, check);
      await files.move(from, to);
    },
    async remove(path) {
      await checkNoLink(files, relativePath(root, path));
      await checkAllBelow(files, path, check);
      await files.remove(path);
    },
  };
}

/** A folder goes only if each file in it might. */
async function checkAllBelow(
  files: FileAccess,
  path: string,
  check: (path: string) => Promise<void>,
): Promise<void> {
  if (!isFolder(files, path)) return check(path);
  for (const entry of await files.listFiles(path, { recursive: true }))
    if (entry.kind !== 'folder') await check(posix.join(path, entry.path));
}

/** The path below the root that an asked one names; what leads out is the guard's to refuse, and matches as asked. */
function relativePath(root: string, asked: string): string {
  return posix.normalize(asked.startsWith(`${root}/`) ? asked.slice(root.length + 1) : asked);
}

async function checkNoLink(files: FileAccess, path: string): Promise<void> {
  let folder = '.';
  for (const name of path.split('/')) {
    // A folder that may not be looked at lies above what may be; the guard itself decides on what is below.
    const entries = isFolder(files, folder) ? await files.listFiles(folder) : [];
    const entry = entries.find((each) => each.path === name);
    if (entry?.kind === 'link')
      throw new AppError('E_TOOL_DENIED', `${path} is, or lies behind, a link; this mode edits no links.`);
    folder = posix.join(folder, name);
  }
}

/** Asks the pattern where it cannot run for ever. */
export function matches(pattern: string, path: string): boolean {
  const context = createContext({ pattern, path });
  try {
    const script = new Script('new RegExp(pattern, "u").test(path)');
    return script.runInContext(context, { timeout: patternMs }) === true;
  } catch (cause) {
    throw new AppError('E_BAD_PATTERN', `the fileRegex ${pattern} cannot be asked about ${path}`, { cause });
  }
}

function refusal(rights: ToolRights, asked: string): AppError {
  const { fileRegex, description } = grantOf(rights, 'edit') ?? { group: 'edit' };
  const words = description === undefined ? '' : ` (${description})`;
  return new AppError(
    'E_TOOL_DENIED',
    `The mode "${rights.slug}" edits only files whose paths match ${fileRegex}${words}, not ${asked}.`,
  );
}
