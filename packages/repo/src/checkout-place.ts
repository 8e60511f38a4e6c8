import { lstatSync, type Stats } from 'node:fs';
import { bytesOf, type RawPath } from './raw-path.ts';
import type { UserRepository } from './user-repository.ts';

/** Where a path of the user's checkout is; its name may be no UTF-8. */
export function placeOf(user: UserRepository, path: RawPath): Buffer {
  return Buffer.concat([Buffer.from(`${user.workTree}/`), bytesOf(path)]);
}

/** What stands at a path of the user's checkout; nothing, too, where something above it is no folder. */
export function lstatOf(user: UserRepository, path: RawPath): Stats | undefined {
  try {
    return lstatSync(placeOf(user, path), { throwIfNoEntry: false });
  } catch {
    return undefined; // Something above it is no folder: `obstacles` names that.
  }
}
