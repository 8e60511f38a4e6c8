import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '@switchyard/protocol';
import type { Observation } from '@switchyard/store';

/** Looks at a part of the state folder; what this user may not look at is what was found. What is not there is nothing. */
export function looked(name: string, look: () => Observation[]): Observation[] {
  try {
    return look();
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    // Not of the file system: a bug.
    if (code === undefined || path === undefined) throw error;
    return code === 'ENOENT' ? [] : [accessFound(name, path, error)];
  }
}

/** Why a path cannot be read or written: whose it is, or what else is in the way, and how that is mended. */
export function accessFound(name: string, path: string, error: unknown): Observation {
  const { code } = error as NodeJS.ErrnoException;
  const found = { name, state: 'wrong', code: 'E_STORAGE' } as const;
  if (code === 'EROFS')
    return { ...found, text: `${path} is on a disk that is read-only`, mend: 'mount it to be written' };
  if (code !== 'EACCES' && code !== 'EPERM')
    return { ...found, text: messageOf(error), mend: `see what ${path} is, and move it away` };
  const shut = nearestSeen(path);
  const { uid: owner, mode } = statSync(shut);
  const uid = process.getuid?.();
  const digits = (mode & 0o777).toString(8).padStart(3, '0');
  if (owner === uid)
    return {
      ...found,
      text: `${path} is closed to you, whose it is: the mode of ${shut} is ${digits}`,
      mend: `chmod -R u+rwX ${shut}`,
    };
  return {
    ...found,
    code: 'E_STATE_FOREIGN',
    text: `${path} is closed to you (user ${uid}): ${shut} belongs to user ${owner}, with mode ${digits}`,
    mend: `\`sudo chown -R ${uid} ${shut}\` gives it to you; or run this as user ${owner}`,
  };
}

/** The path, or the nearest folder above it that can be looked at: what is closed is at the end of it. */
function nearestSeen(path: string): string {
  for (let at = path; ; at = dirname(at)) {
    try {
      statSync(at);
      return at;
    } catch {
      if (at === dirname(at)) return at;
    }
  }
}
