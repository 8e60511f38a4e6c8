import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AttemptKey, CommitId } from '@switchyard/protocol';
import { removeTree } from '@switchyard/runtime';
import { attemptOf } from './attempt-names.ts';
import { readHeld, type HeldRecord } from './held-record.ts';
import type { AttemptPorts, HeldAttempt } from './ports.ts';
import { handOver, snapshotOf, type WipContext } from './wip.ts';

/** The attempts whose folders an earlier life of this worker left; folders of reported ones are taken away. */
export async function findHeld(
  ports: AttemptPorts,
  isReported: (attempt: AttemptKey) => boolean,
): Promise<HeldAttempt[]> {
  const found: HeldAttempt[] = [];
  for (const name of await readdir(ports.attempts)) {
    const folder = join(ports.attempts, name);
    const record = recordIn(folder, ports);
    // Of one that is reported there may still be work that could not be handed over.
    if (record === undefined || (record.wip === undefined && isReported(record.assignment)))
      await removeTree(folder);
    else found.push(heldIn(folder, record, ports));
  }
  return found;
}

function recordIn(folder: string, { logger }: AttemptPorts): HeldRecord | undefined {
  try {
    return readHeld(folder);
  } catch (error) {
    logger.warn({ err: error }, 'the folder of an attempt tells nothing and is removed');
    return undefined;
  }
}

function heldIn(folder: string, record: HeldRecord, ports: AttemptPorts): HeldAttempt {
  const { assignment } = record;
  const attempt = attemptOf(assignment);
  const { run, taskId: task, attempt: number } = attempt;
  const logger = ports.logger.child({ run, task, attempt: number, worker: ports.self });
  return {
    attempt,
    handOver: (leaving) => handOverHeld({ folder, record }, { assignment, ports, logger, leaving }, ports),
    forget: () => removeTree(folder),
  };
}

async function handOverHeld(
  { folder, record }: { readonly folder: string; readonly record: HeldRecord },
  context: WipContext,
  ports: AttemptPorts,
): Promise<CommitId | undefined> {
  const { assignment, exclude, wip } = record;
  if (wip === undefined && exclude === undefined) return undefined;
  const objects = await ports.objects();
  // What ran in it died with the worker that was killed; if something has survived, a snapshot does not mind.
  const clone = await objects.findAttempt(join(folder, 'clone'), assignment.base);
  const commit =
    wip ?? (clone === undefined ? undefined : (await snapshotOf(clone, exclude ?? [], context))?.commit);
  if (commit === undefined) return undefined;
  await handOver((ref, id) => objects.push(ref, id), commit, context);
  // It knows how to remove what an attempt made to stay.
  await clone?.dispose();
  return commit;
}
