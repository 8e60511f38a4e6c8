import {
  findAttemptViolations,
  systemFolders,
  takeSnapshot,
  toolchains,
  watchTree,
  type AuditEvent,
  type Snapshot,
} from '@switchyard/guard';
import { AppError, type AttemptViolation, type TaskAssignment } from '@switchyard/protocol';
import type { Clock, Logger } from '@switchyard/runtime';
import { LiveAudit } from './live-audit.ts';
import { counted, shown } from './violation-text.ts';

/** Folders that a live watcher takes on: each costs the kernel a watch, and time to set up. */
const watchedFoldersMax = 5_000;

export interface AuditOptions {
  readonly assignment: TaskAssignment;
  readonly tree: string;
  /** Places below the tree whose content is not the attempt's: scratch places, layers. */
  readonly places: readonly string[];
  readonly isDiscarded: (path: string) => boolean;
  readonly logger: Logger;
  readonly say: (message: string) => void;
  readonly found: (violations: readonly AttemptViolation[]) => void;
  readonly clock: Clock;
}

/** The proof of what an attempt changed: begun before its first command, ended after its last. */
export interface AttemptAudit {
  /** Ends the feed; gives E_WORKSPACE_VIOLATION with the list when something is not allowed. */
  end(): Promise<AppError | undefined>;
  /** Ends the feed without a verdict; after `end` it does nothing. */
  close(): Promise<void>;
}

/** The throwaway `.git` is the attempt's to do with as it likes: nobody runs git on it. */
const ownGit = '.git';

export async function beginAudit(options: AuditOptions): Promise<AttemptAudit> {
  const { tree, assignment, logger } = options;
  // What only verifies commits nothing: what its commands leave behind is thrown away.
  if (assignment.kind !== 'implement') return { end: async () => undefined, close: async () => undefined };
  const exclude = [ownGit, ...options.places];
  const before = await takeSnapshot(tree, { exclude });
  const readable = [...systemFolders, '/dev/null', ...visibleToolchains()];
  const look = async (): Promise<AuditEvent[]> =>
    findAttemptViolations(before, await takeSnapshot(tree, { exclude, since: before }), {
      workspace: assignment.workspace,
      isDiscarded: options.isDiscarded,
      readable,
    });
  const live = new LiveAudit({ ...options, look });
  const feed = follow(before, { exclude, live }, options);
  const close = async (): Promise<void> => {
    await live.close();
    await feed?.close();
  };
  const end = async (): Promise<AppError | undefined> => {
    await close();
    const violations = await look();
    if (violations.length === 0) return undefined;
    logger.warn({ violations: violations.slice(0, 100), count: violations.length }, 'audit found violations');
    return violationError(violations, assignment);
  };
  return { end, close };
}

/** A virtual environment links to its interpreter: the attempt could run that anyway. */
function visibleToolchains(): string[] {
  return toolchains()
    .filter((tool) => tool.visible)
    .flatMap((tool) => [...tool.folders]);
}

/** What changes, told as it happens; the snapshots are the proof, so that what the feed misses is no loss. */
function follow(
  before: Snapshot,
  { exclude, live }: { readonly exclude: readonly string[]; readonly live: LiveAudit },
  options: AuditOptions,
) {
  const { tree, logger, say } = options;
  const newFoldersMax = watchedFoldersMax - before.countFolders();
  if (newFoldersMax < 0) return undefined;
  const watcher = watchTree(tree, {
    exclude,
    newFoldersMax,
    onChange: ({ kind, path }) => {
      if (options.isDiscarded(path)) return;
      say(`${kind} ${path}`);
    },
    onTouched: () => live.touched(),
    onError: (error) => logger.warn({ err: error }, 'watching an attempt failed; its end is still audited'),
  });
  // What happened before every folder was watched has moved nothing since.
  void watcher.ready.then(() => live.touched());
  return watcher;
}

function violationError(violations: readonly AuditEvent[], { workspace }: TaskAssignment): AppError {
  const changed = violations.map(({ kind, path }) => `${path} (${kind})`);
  const isOne = violations.length === 1;
  return new AppError(
    'E_WORKSPACE_VIOLATION',
    `the attempt changed ${counted(changed)} that ${isOne ? 'is' : 'are'} not its to change (workspace: ${workspace.join(', ')}): ${shown(changed)}`,
    { details: { paths: violations.map(({ path }) => path) } },
  );
}
