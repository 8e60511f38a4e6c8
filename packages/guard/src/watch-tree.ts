import { watch } from 'chokidar';
import { relative } from 'node:path';
import { AppError } from '@switchyard/protocol';

/** What a live watcher saw. A feed for people, not a proof: a file made and removed at once may be missing. */
export interface TreeEvent {
  readonly kind: 'created' | 'changed' | 'removed';
  /** Below the root. */
  readonly path: string;
}

export interface TreeWatcher {
  /** When every folder is watched, or it is clear that not all are: one could not be, or it is closed. Never rejects. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

const kinds: Readonly<Record<string, TreeEvent['kind']>> = {
  add: 'created',
  addDir: 'created',
  change: 'changed',
  unlink: 'removed',
  unlinkDir: 'removed',
};

export interface WatchOptions {
  /** Paths below the root that are left out with all that is in them. */
  readonly exclude?: readonly string[];
  readonly onChange: (event: TreeEvent) => void;
  /** Something moved, which may be of a kind that `onChange` is not told of (a pipe, a mode). */
  readonly onTouched?: () => void;
  /** Made meanwhile; with more the watcher closes, since each takes one of the watches that the kernel gives a user. */
  readonly newFoldersMax?: number;
  /** The watcher goes on without the part that failed; the snapshots are the proof. */
  readonly onError?: (error: AppError) => void;
}

/** Watches a tree without following links. */
export function watchTree(root: string, options: WatchOptions): TreeWatcher {
  const exclude = new Set(options.exclude ?? []);
  const watcher = watch(root, {
    followSymlinks: false,
    ignoreInitial: true,
    ignored: (path) => exclude.has(relative(root, path)),
  });
  const fail = (text: string, cause?: unknown): void =>
    options.onError?.(new AppError('E_IO', `The watcher of ${root} ${text}`, { cause }));
  let end = (): void => undefined;
  // What is nested deeper than a path is long ends chokidar's first look with an error, and no word that it is over.
  const ready = new Promise<void>((resolve) => {
    end = resolve;
    watcher.once('ready', resolve).once('error', () => resolve());
  });
  const close = async (): Promise<void> => {
    end();
    await watcher.close();
  };
  let newFolders = 0;
  watcher.on('all', (name, path) => {
    const kind = kinds[name];
    if (kind !== undefined) options.onChange({ kind, path: relative(root, path) });
    newFolders += name === 'addDir' ? 1 : name === 'unlinkDir' ? -1 : 0;
    if (newFolders <= (options.newFoldersMax ?? Infinity) || watcher.closed) return;
    fail(`closes: more than ${options.newFoldersMax} folders were made`);
    void close();
  });
  watcher.on('raw', () => options.onTouched?.());
  watcher.on('error', (error) => fail('failed', error));
  return { ready, close };
}
