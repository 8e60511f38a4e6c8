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
  /** The watcher goes on without the part that failed; the snapshots are the proof. */
  readonly onError?: (error: AppError) => void;
}

/** Watches a tree without following links; resolves when every folder is watched. */
export function watchTree(root: string, options: WatchOptions): Promise<TreeWatcher> {
  const exclude = new Set(options.exclude ?? []);
  const watcher = watch(root, {
    followSymlinks: false,
    ignoreInitial: true,
    ignored: (path) => exclude.has(relative(root, path)),
  });
  watcher.on('all', (name, path) => {
    const kind = kinds[name];
    if (kind !== undefined) options.onChange({ kind, path: relative(root, path) });
  });
  watcher.on('raw', () => options.onTouched?.());
  watcher.on('error', (error) =>
    options.onError?.(new AppError('E_IO', `The watcher of ${root} failed`, { cause: error })),
  );
  return new Promise((resolve) => {
    watcher.once('ready', () => resolve({ close: () => watcher.close() }));
  });
}
