import {
  analyze,
  engineReadPaths,
  sandboxedRun,
  sandboxedScan,
  staticEngines,
  type BaseTree,
  type Engine,
  type Review,
} from '@switchyard/analyzers';
import type { Sandbox } from '@switchyard/guard';
import type { Specialization } from '@switchyard/protocol';
import type { ReviewScope } from './review-scope.ts';

/** Files that a review on this machine takes; a review over the wire takes fewer. */
const filesMax = 50_000;

/** Told of each engine that begins and each file that it has seen. */
export interface ScanProgress {
  engine(name: string): void;
  file(): void;
}

export interface ScanOrder {
  readonly sandbox: Sandbox;
  readonly specializations: readonly Specialization[];
  readonly findingsMax: number;
  readonly deep?: boolean;
  readonly signal: AbortSignal;
  /** Called once, with how many engines there are. */
  readonly watch: (engines: number) => ScanProgress;
  /** Asked after the static ones; whoever gives them closes them. */
  readonly more?: readonly Engine[];
}

/**
 * The static engines over a scope, each with a scan process of its own in the sandbox. Throws AppError E_EXECUTOR and the
 * like, and the signal's reason.
 */
export async function scanScope(
  scope: Pick<ReviewScope, 'root' | 'files' | 'base' | 'all'> & { readonly policy?: BaseTree },
  { sandbox, specializations, findingsMax, deep, signal, watch, more = [] }: ScanOrder,
): Promise<Review> {
  const engines = staticEngines({ start: sandboxedScan(sandbox) });
  const progress = watch(engines.length + more.length);
  try {
    return await analyze([...engines, ...more], {
      root: scope.root,
      files: scope.files,
      specializations,
      ...(scope.base && { base: scope.base }),
      ...(scope.policy && { policy: scope.policy }),
      all: scope.all,
      ...(deep !== undefined && { deep }),
      run: sandboxedRun(sandbox, { root: scope.root, readPaths: engineReadPaths(), signal }),
      // The policy may be that of a stranger's folder.
      commands: sandbox.tier === 'none' ? 'refuse' : 'run',
      signal,
      filesMax,
      findingsMax,
      onEngine: (engine) => progress.engine(engine),
      onFile: () => progress.file(),
    });
  } finally {
    await Promise.all(engines.map((engine) => engine.close()));
  }
}
