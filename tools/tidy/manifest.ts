import { posix } from 'node:path';
import type { Tree } from './tree.ts';

/** What the rules read of a package.json below `packages` or `apps`. */
export interface Manifest {
  /** `packages/plan`. */
  readonly folder: string;
  readonly name: string;
  readonly layer: string | undefined;
  readonly exports: unknown;
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
  readonly targets: ReadonlySet<string>;
}

interface ManifestFile {
  readonly name?: string;
  readonly exports?: unknown;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly nx?: { readonly tags?: string[]; readonly targets?: Record<string, unknown> };
}

/** The packages and apps of a tree. */
export function manifests(tree: Tree): Manifest[] {
  return [...tree.keys()]
    .filter((path) => /^(packages|apps)\/[^/]+\/package\.json$/.test(path))
    .map((path) => readManifest(tree, path));
}

/** One package.json; the root's has folder `.`. */
export function readManifest(tree: Tree, path: string): Manifest {
  const file = JSON.parse(tree.get(path) ?? '{}') as ManifestFile;
  const tag = file.nx?.tags?.find((each) => each.startsWith('layer:'));
  return {
    folder: posix.dirname(path),
    name: file.name ?? '',
    layer: tag?.slice('layer:'.length),
    exports: file.exports,
    dependencies: new Set(Object.keys(file.dependencies ?? {})),
    devDependencies: new Set(Object.keys(file.devDependencies ?? {})),
    targets: new Set(Object.keys(file.nx?.targets ?? {})),
  };
}

/** The package or app that a file belongs to. */
export function ownerOf(path: string, all: readonly Manifest[]): Manifest | undefined {
  return all.find(({ folder }) => path.startsWith(`${folder}/`));
}
