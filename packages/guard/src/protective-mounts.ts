/**
 * Mounts that keep a command from what the path guard keeps from tools: existing protected files become read-only,
 * existing denied ones empty. Only what exists is masked, and only where no link leads (see pinned-mounts.ts);
 * what a command newly makes under such a name, the audit reports.
 */
import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { posix } from 'node:path';
import { AppError } from '@switchyard/protocol';
import { O_PATH } from './descriptor.ts';
import { denyRule, isProtected } from './name-rules.ts';
import type { SandboxMount } from './sandbox-request.ts';
import { walkTree } from './tree-walk.ts';

export interface ProtectionPolicy {
  readonly denyRead?: readonly string[];
  /** True when absent. */
  readonly protect?: boolean;
}

/** More would make every command slow to start; such a policy is refused rather than half kept. */
const masksMax = 500;

/** The mounts for a writable folder, to stand behind its own mount. Throws E_SANDBOX when there are too many. */
export function protectiveMounts(root: string, policy: ProtectionPolicy): SandboxMount[] {
  const descriptor = openSync(root, O_PATH | constants.O_DIRECTORY);
  try {
    return mountsBelow(readlinkSync(`/proc/self/fd/${descriptor}`), findMasks(descriptor, policy));
  } finally {
    closeSync(descriptor);
  }
}

interface Mask {
  readonly relative: string;
  readonly kind: 'read' | 'hide';
}

function findMasks(root: number, policy: ProtectionPolicy): Mask[] {
  const isDenied = denyRule(policy.denyRead ?? []);
  const masks: Mask[] = [];
  walkTree(root, {
    recursive: true,
    visit: ({ relative, kind }) => {
      if (kind !== 'file' && kind !== 'folder') return true;
      if (isDenied(relative)) {
        masks.push({ relative, kind: 'hide' });
        return false;
      }
      const isHeld = policy.protect !== false && isProtected(relative) && posix.basename(relative) !== '.git';
      if (!isHeld) return true;
      masks.push({ relative, kind: 'read' });
      return false;
    },
  });
  if (masks.length > masksMax)
    throw new AppError(
      'E_SANDBOX',
      `The policy masks more than ${masksMax} files; deny whole folders instead`,
    );
  return masks;
}

/** Every folder above a mask is mounted on itself: a mount point cannot be renamed away. */
function mountsBelow(root: string, masks: readonly Mask[]): SandboxMount[] {
  const above = new Set(masks.flatMap(({ relative }) => foldersAbove(relative)));
  const held = [...above]
    .sort()
    .map((relative) => ({ kind: 'write', source: `${root}/${relative}` }) as const);
  return [
    ...held,
    ...masks.map(({ relative, kind }): SandboxMount => {
      const path = `${root}/${relative}`;
      return kind === 'hide' ? { kind, target: path } : { kind, source: path };
    }),
  ];
}

function foldersAbove(relative: string): string[] {
  const names = relative.split('/').slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join('/'));
}
