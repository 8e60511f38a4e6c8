import { z } from 'zod';

const ranges = z.record(z.string(), z.string()).catch({});
const manifestFile = z.object({
  name: z.string().optional().catch(undefined),
  engines: z.record(z.string(), z.string()).optional().catch(undefined),
  dependencies: ranges.default({}),
  devDependencies: ranges.default({}),
  peerDependencies: ranges.default({}),
  optionalDependencies: ranges.default({}),
});

/** What a package.json says of dependencies. */
export interface Manifest {
  readonly name: string | undefined;
  readonly engines: Readonly<Record<string, string>>;
  /** Every dependency with its range, of whatever kind; peers too. */
  readonly all: ReadonlyMap<string, string>;
  /** Those that a lock file has to hold. */
  readonly installed: ReadonlyMap<string, string>;
}

/** Reads a package.json; undefined where there is none or it is no JSON, which other checks tell. */
export function readManifest(text: string | undefined): Manifest | undefined {
  const parsed = manifestFile.safeParse(readJson(text));
  if (!parsed.success) return undefined;
  const {
    name,
    engines = {},
    dependencies,
    devDependencies,
    peerDependencies,
    optionalDependencies,
  } = parsed.data;
  const installed = new Map(Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }));
  return { name, engines, installed, all: new Map([...Object.entries(peerDependencies), ...installed]) };
}

const lockEntry = z.object({
  version: z.string().optional(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  link: z.boolean().optional(),
  hasInstallScript: z.boolean().optional(),
});
const lockFile = z.object({ packages: z.record(z.string(), z.unknown()) });
export type LockEntry = z.infer<typeof lockEntry>;

/** The entries of a package-lock.json by their folder; undefined where it is none. */
export function readLock(text: string | undefined): ReadonlyMap<string, LockEntry> | undefined {
  const parsed = lockFile.safeParse(readJson(text));
  if (!parsed.success) return undefined;
  return new Map(
    Object.entries(parsed.data.packages).flatMap(([folder, value]) => {
      const entry = lockEntry.safeParse(value);
      return entry.success ? [[folder, entry.data] as const] : [];
    }),
  );
}

function readJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Half edited or of another form: the caller goes on without it.
    return undefined;
  }
}
