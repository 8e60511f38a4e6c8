import { posix } from 'node:path';
import type { PlacedFinding } from '../engine.ts';
import { someOf, type ChangeCheck } from './change-check.ts';
import type { ChangeView } from './change-view.ts';
import { readLock, readManifest, type LockEntry, type Manifest } from './manifest.ts';

const otherLocks = ['yarn.lock', 'pnpm-lock.yaml', 'bun.lock'];

/** Manifests and lock files agree, and what a change takes in is told. */
export const dependencies: ChangeCheck = {
  specializations: ['integration', 'security'],
  async find(view) {
    const found: PlacedFinding[] = [];
    for (const { path } of view.present) {
      if (posix.basename(path) === 'package.json') found.push(...(await manifestFindings(view, path)));
      if (posix.basename(path) === 'package-lock.json' && view.hasBase)
        found.push(
          ...lockFindings(path, readLock(await view.before(path)), readLock(await view.after(path))),
        );
    }
    const isAsked = (one: PlacedFinding): boolean =>
      view.request.specializations.some((wanted) => wanted === one.category);
    return found
      .map((one) => (isAsked(one) ? one : { ...one, category: otherOf(one.category) }))
      .filter(isAsked);
  },
};

function otherOf(category: string): string {
  return category === 'security' ? 'integration' : category;
}

async function manifestFindings(view: ChangeView, path: string): Promise<PlacedFinding[]> {
  const after = readManifest(await view.after(path));
  if (after === undefined) return [];
  const before = readManifest(await view.before(path));
  const base = { category: 'integration', file: path, references: [] };
  const missing = await missingInLock(view, path, after);
  const found: PlacedFinding[] =
    missing.length === 0 ? [] : [{ ...base, severity: 'major', ...notLocked(missing) }];
  if (before === undefined) return found;
  const added = [...after.all.keys()].filter((name) => !before.all.has(name));
  if (added.length > 0)
    found.push({
      ...base,
      severity: 'info',
      description: `New dependencies: ${someOf(added, 20)}.`,
      suggestion: 'Make sure that each is needed, kept up, and under a licence that fits.',
      rule: 'change/dependency-added',
    });
  for (const [name, range] of Object.entries(after.engines)) {
    const old = before.engines[name];
    if (old === undefined || lowest(range) <= lowest(old)) continue;
    found.push({
      ...base,
      severity: 'minor',
      description: `${name} ${range} is needed, before the change ${old}; who has an older one cannot use this any more.`,
      suggestion: 'Say so in the notes of the release, and check that every place that runs it has it.',
      rule: 'change/engine-raised',
    });
  }
  return found;
}

function notLocked(missing: readonly string[]): Pick<PlacedFinding, 'description' | 'suggestion' | 'rule'> {
  return {
    description: `The lock file does not know ${someOf(missing)}; a clean install fails or takes whatever is newest.`,
    suggestion: 'Install once and commit the lock file with the manifest.',
    rule: 'change/lock-not-updated',
  };
}

/** The lowest version that a range allows, as a number to compare. */
function lowest(range: string): number {
  const [, major = '0', minor = '0'] = /(\d+)(?:\.(\d+))?/.exec(range) ?? [];
  return Number(major) * 1000 + Number(minor);
}

/** Dependencies that the nearest lock file has no entry for; none where there is no lock file. */
async function missingInLock(view: ChangeView, path: string, manifest: Manifest): Promise<string[]> {
  const files = new Set(await view.tree());
  for (let folder = posix.dirname(path); ; folder = posix.dirname(folder)) {
    const at = (name: string): string => (folder === '.' ? name : `${folder}/${name}`);
    const names = [...manifest.installed.keys()].filter((name) => !isLocal(manifest.installed.get(name)));
    if (files.has(at('package-lock.json'))) {
      const lock = readLock(await view.after(at('package-lock.json')));
      if (lock === undefined) return [];
      return names.filter((name) => ![...lock.keys()].some((key) => key.endsWith(`node_modules/${name}`)));
    }
    const other = otherLocks.map(at).find((name) => files.has(name));
    if (other !== undefined) {
      const text = (await view.after(other)) ?? '';
      // A lock over the size limit is not read, and says nothing.
      return text === '' ? [] : names.filter((name) => !text.includes(name));
    }
    if (folder === '.') return [];
  }
}

function isLocal(range: string | undefined): boolean {
  return range === undefined || /^(file|link|workspace|portal|git|github|https?)[:+]/.test(range);
}

function lockFindings(
  path: string,
  before: ReadonlyMap<string, LockEntry> | undefined,
  after: ReadonlyMap<string, LockEntry> | undefined,
): PlacedFinding[] {
  if (before === undefined || after === undefined) return [];
  const hosts = new Set([...before.values()].flatMap(({ resolved }) => hostOf(resolved) ?? []));
  const entries = [...after].map(([folder, entry]) => ({
    name: folder.replace(/^.*node_modules\//, ''),
    entry,
    old: before.get(folder),
  }));
  const swapped = entries.filter(
    ({ entry, old }) => old?.version === entry.version && differs(old?.integrity, entry.integrity),
  );
  const strange = entries.filter(({ entry }) => {
    const host = hostOf(entry.resolved);
    return host !== undefined && hosts.size > 0 && !hosts.has(host);
  });
  const scripts = entries.filter(
    ({ entry, old }) => entry.hasInstallScript === true && old?.hasInstallScript !== true,
  );
  const about = (
    list: typeof entries,
    words: Pick<PlacedFinding, 'severity' | 'description' | 'suggestion' | 'rule'>,
  ): PlacedFinding[] =>
    list.length === 0
      ? []
      : [
          {
            category: 'security',
            file: path,
            references: ['CWE-494'],
            ...words,
            description: words.description.replace('%', someOf(list.map(({ name }) => name))),
          },
        ];
  return [
    ...about(swapped, {
      severity: 'critical',
      description:
        'The same version has another digest than before: %. What is installed is another program.',
      suggestion: 'Do not take it; find out who published what.',
      rule: 'change/lock-digest-swapped',
    }),
    ...about(strange, {
      severity: 'major',
      description: 'Packages come from a host that no other comes from: %.',
      suggestion: 'Take them from the registry that the others come from.',
      rule: 'change/lock-other-host',
    }),
    ...about(scripts, {
      severity: 'minor',
      description: 'New packages run a script when they are installed: %.',
      suggestion: 'Look at what the script does, or refuse it.',
      rule: 'change/lock-install-script',
    }),
  ];
}

function differs(old: string | undefined, now: string | undefined): boolean {
  return old !== undefined && now !== undefined && old !== now;
}

function hostOf(address: string | undefined): string | undefined {
  return /^https?:\/\/([^/]+)\//.exec(address ?? '')?.[1];
}
