import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { AppError, limits, type CommitId } from '@switchyard/protocol';
import {
  acquireLock,
  makeFolderSync,
  processStart,
  removeTree,
  sleep,
  type Clock,
  type Logger,
} from '@switchyard/runtime';
import { freshCheckout, type Checkout } from './fresh-checkout.ts';
import { layerKey, type Setup } from './layer-key.ts';
import { layerScratch, type Layer } from './layer-mounts.ts';
import { publicRegistries } from './setup-environment.ts';
import type { ReceiptSandbox } from './receipt-sandbox.ts';
import { walkTree } from './tree-walk.ts';

export interface LayersOptions {
  /** Shared by all daemons of a state folder. */
  readonly folder: string;
  readonly sandbox: ReceiptSandbox;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What a set-up with network finds in its environment: registries and certificates. */
  readonly networkEnv?: Readonly<Record<string, string>>;
  /** What `registry` means in `setup.network`: hosts of the operator's own configuration. */
  readonly registries?: readonly string[];
}

export interface LayerRequest {
  readonly setup: Setup;
  readonly commit: CommitId;
  readonly checkout: Checkout;
  /** Untracked files that the set-up may need. */
  readonly include?: CommitId | undefined;
  readonly signal: AbortSignal;
  /** What the set-up prints, and whom it waits for. */
  readonly onOutput?: (chunk: string) => void;
}

/** Dependency layers of a state folder. */
export interface Layers {
  /** The layer of a commit's set-up; built if nobody has yet. Rejects with AppError E_SETUP_FAILED. */
  ensure(request: LayerRequest): Promise<Layer>;
}

/** Opens the folder of layers, making it if needed. */
export function openLayers(options: LayersOptions): Layers {
  makeFolderSync(options.folder, 0o700);
  return new LayerFolder(options);
}

const setupTimeoutMs = 15 * 60_000;
const entriesMax = 1_000;
const rememberedMax = 500;
const lockPollMs = 200;
/** Of the folders that builds work in; the number of the process follows. */
const buildPrefix = '.build-';

/**
 * Built once per lockfile and platform, in the sandbox, in a checkout that is thrown away; never changed
 * afterwards. A build is put in place by one rename, so a layer is there whole or not at all.
 */
class LayerFolder implements Layers {
  private readonly options: LayersOptions;
  /** Keys by commit and set-up, so that a known commit needs no checkout. */
  private readonly keys = new Map<string, string>();
  private builds = 0;

  constructor(options: LayersOptions) {
    this.options = options;
  }

  async ensure(request: LayerRequest): Promise<Layer> {
    const name = `${request.commit} ${JSON.stringify(request.setup)}`;
    const known = this.keys.get(name);
    const found = known === undefined ? undefined : this.find(known);
    if (found !== undefined) return found;
    this.builds += 1;
    const work = join(this.options.folder, `${buildPrefix}${process.pid}-${this.builds}`);
    try {
      await this.removeAbandoned();
      await this.checkOut(work, request);
      const key = layerKey(join(work, 'tree'), request.setup);
      if (this.keys.size >= rememberedMax) this.keys.clear();
      this.keys.set(name, key);
      return this.find(key) ?? (await this.buildAlone(key, work, request));
    } finally {
      await removeTree(work);
    }
  }

  /** Builds of processes that were killed; they may be as large as all dependencies. */
  private async removeAbandoned(): Promise<void> {
    for (const name of readdirSync(this.options.folder)) {
      const pid = Number(name.startsWith(buildPrefix) ? name.slice(buildPrefix.length).split('-', 1)[0] : 0);
      if (pid > 0 && processStart(pid) === undefined) await removeTree(join(this.options.folder, name));
    }
  }

  private checkOut(work: string, { checkout, commit, include }: LayerRequest): Promise<void> {
    const { sandbox } = this.options;
    return freshCheckout({ checkout, folder: join(work, 'tree'), commit, include, sandbox });
  }

  private find(key: string): Layer | undefined {
    const folder = join(this.options.folder, key);
    try {
      const { entries } = JSON.parse(readFileSync(join(folder, 'layer.json'), 'utf8')) as {
        entries: string[];
      };
      return { key, folder, entries };
    } catch {
      // Not built yet.
      return undefined;
    }
  }

  /** One build at a time for each key, over all processes; whoever waited finds it built. */
  private async buildAlone(key: string, work: string, request: LayerRequest): Promise<Layer> {
    const lockFile = join(this.options.folder, `${key}.lock`);
    for (;;) {
      const lock = acquireLock(lockFile);
      if (lock.kind === 'held') {
        try {
          return this.find(key) ?? (await this.build(key, work, request));
        } finally {
          lock.release();
        }
      }
      request.onOutput?.(`process ${lock.holder.pid} builds the dependency layer`);
      await sleep(this.options.clock, lockPollMs, request.signal);
      const found = this.find(key);
      if (found !== undefined) return found;
    }
  }

  private async build(key: string, work: string, request: LayerRequest): Promise<Layer> {
    const { logger, clock } = this.options;
    const started = clock.monotonic();
    const tree = join(work, 'tree');
    const before = new Set([...walkTree(tree, () => true)].map(({ path }) => path));
    await this.runSetup(work, request);
    const entries = newEntries(tree, before);
    const built = join(work, 'layer');
    makeFolderSync(built);
    for (const entry of entries) moveEntry(join(tree, entry), join(built, 'files', entry));
    writeFileSync(join(built, 'layer.json'), JSON.stringify({ entries, setup: request.setup }));
    const folder = join(this.options.folder, key);
    await removeTree(folder);
    renameSync(built, folder);
    logger.info({ layer: key, entries, durationMs: Math.round(clock.monotonic() - started) }, 'layer built');
    return { key, folder, entries };
  }

  private async runSetup(work: string, request: LayerRequest): Promise<void> {
    for (const line of request.setup.run) {
      const result = await this.options.sandbox.run(this.setupCommand(line, work, request));
      request.signal.throwIfAborted();
      if (result.ended === 'exited' && result.exitCode === 0) continue;
      const how =
        result.ended === 'exited' ? `ended with exit code ${result.exitCode}` : `was ${result.ended}`;
      const hint = networkHint(request.setup, result.refusedHosts);
      throw new AppError('E_SETUP_FAILED', `the set-up "${line}" ${how}${hint}`, {
        details: { outputTail: result.output.slice(-limits.receiptOutputBytes) },
      });
    }
  }

  private placesOf({ network }: Setup) {
    const hosts = network.filter((place) => place !== 'registry');
    if (hosts.length === network.length) return { allow: hosts, operator: [] };
    return { allow: [...hosts, ...publicRegistries], operator: this.options.registries ?? [] };
  }

  private setupCommand(line: string, work: string, request: LayerRequest) {
    const tree = join(work, 'tree');
    // On the disk, since package managers keep whole archives there.
    const home = join(work, 'home');
    makeFolderSync(home);
    const isOnline = request.setup.network.length > 0;
    return {
      argv: ['sh', '-c', line],
      cwd: tree,
      mounts: [
        { kind: 'write' as const, source: tree },
        { kind: 'write' as const, source: home },
        ...(isOnline ? certificateFiles(this.options.networkEnv) : []),
      ],
      env: { ...(isOnline ? this.options.networkEnv : {}), HOME: home, CI: '1' },
      network: isOnline ? this.placesOf(request.setup) : ('none' as const),
      timeoutMs: setupTimeoutMs,
      signal: request.signal,
      ...(request.onOutput !== undefined && { onOutput: request.onOutput }),
    };
  }
}

/** Certificates that the operator's configuration names, where they lie outside what every command sees. */
function certificateFiles(env: Readonly<Record<string, string>> = {}) {
  const named = Object.entries(env).filter(([name]) =>
    /^(npm_config_cafile|node_extra_ca_certs)$/i.test(name),
  );
  const files = new Set(named.map(([, file]) => file));
  return [...files]
    .filter((file) => isAbsolute(file) && !/^\/(?:usr|etc\/ssl|etc\/pki)\//.test(file) && existsSync(file))
    .map((source) => ({ kind: 'read' as const, source }));
}

function networkHint({ network }: Setup, refused: readonly string[] = []): string {
  if (network.length === 0) return ' (it has no network; `setup.network` in the plan allows it)';
  if (refused.length === 0) return '';
  return ` (it asked for ${refused.join(', ')}, which \`setup.network\` in the plan does not allow)`;
}

/** The topmost files and folders that were not there before. */
function newEntries(tree: string, before: ReadonlySet<string>): string[] {
  const entries: string[] = [];
  for (const { path, entry } of walkTree(tree, (folder) => before.has(folder))) {
    // A link cannot be mounted, and what it leads to stands elsewhere.
    if (!before.has(path) && (entry.isDirectory() || entry.isFile())) entries.push(path);
  }
  if (entries.length <= entriesMax) return entries;
  const text = `the set-up made ${entries.length} files and folders all over the checkout; a layer holds ${entriesMax}`;
  throw new AppError('E_SETUP_FAILED', text);
}

function moveEntry(from: string, to: string): void {
  makeFolderSync(dirname(to));
  renameSync(from, to);
  if (!to.endsWith('/node_modules')) return;
  for (const name of layerScratch) makeFolderSync(join(to, name));
}
