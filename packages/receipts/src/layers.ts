import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { CommitId } from '@switchyard/protocol';
import { acquireLock, makeFolderSync, processStart, removeTree, sleep } from '@switchyard/runtime';
import { freshCheckout } from './fresh-checkout.ts';
import { buildLayer } from './layer-build.ts';
import { layerKey } from './layer-key.ts';
import type { Layer } from './layer-mounts.ts';
import type { LayerRequest, LayersOptions } from './layer-request.ts';

/** The layer of a commit that is not accepted yet. */
export interface LayerOnTrial {
  readonly layer: Layer;
  /** Ends the trial, once: a layer that was built for it is everybody's from now on, or gone. */
  end(isKept: boolean): Promise<void>;
}

/** Dependency layers of a state folder. */
export interface Layers {
  /** The layer of a commit's set-up; built if nobody has yet. Rejects with AppError E_SETUP_FAILED. */
  ensure(request: LayerRequest): Promise<Layer>;
  /**
   * The same for a commit that may be refused: programs of the commit take part in a set-up, and what they made of the
   * dependencies must not be there for the next commit with the same manifests. Where `accepted` has these manifests,
   * the layer is built from that.
   */
  onTrial(request: LayerRequest & { readonly accepted: CommitId }): Promise<LayerOnTrial>;
}

/** Opens the folder of layers, making it if needed. */
export function openLayers(options: LayersOptions): Layers {
  makeFolderSync(options.folder, 0o700);
  return new LayerFolder(options);
}

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
    const found = this.findKnown(request);
    return found ?? this.inWork(request, (key, work) => this.findOrBuild(key, work, request));
  }

  async onTrial(request: LayerRequest & { readonly accepted: CommitId }): Promise<LayerOnTrial> {
    const found = this.findKnown(request);
    if (found !== undefined) return settled(found);
    const work = this.newWork();
    try {
      const key = await this.lay(work, request);
      const shared = this.find(key) ?? (await this.ofAccepted(key, request));
      if (shared !== undefined) {
        await removeTree(work);
        return settled(shared);
      }
      const entries = await buildLayer(work, request, this.options);
      const end = async (isKept: boolean): Promise<void> => {
        if (isKept) await this.keep(key, work);
        await removeTree(work);
      };
      return { layer: { key, folder: join(work, 'layer'), entries }, end };
    } catch (error) {
      await removeTree(work);
      throw error;
    }
  }

  /** The layer of an accepted commit, if it is of these manifests. */
  private ofAccepted(
    key: string,
    request: LayerRequest & { readonly accepted: CommitId },
  ): Promise<Layer | undefined> {
    const accepted = { ...request, commit: request.accepted };
    if (request.accepted === request.commit) return Promise.resolve(undefined);
    return this.inWork(accepted, async (own, work) =>
      own === key ? this.findOrBuild(key, work, accepted) : undefined,
    );
  }

  private findKnown(request: LayerRequest): Layer | undefined {
    const known = this.keys.get(nameOf(request));
    return known === undefined ? undefined : this.find(known);
  }

  private newWork(): string {
    this.builds += 1;
    return join(this.options.folder, `${buildPrefix}${process.pid}-${this.builds}`);
  }

  private async inWork<T>(request: LayerRequest, use: (key: string, work: string) => Promise<T>): Promise<T> {
    const work = this.newWork();
    try {
      return await use(await this.lay(work, request), work);
    } finally {
      await removeTree(work);
    }
  }

  /** Checks a commit out for its set-up; the answer is the key of its layer. */
  private async lay(work: string, request: LayerRequest): Promise<string> {
    await this.removeAbandoned();
    await this.checkOut(work, request);
    const key = layerKey(join(work, 'tree'), request.setup);
    if (this.keys.size >= rememberedMax) this.keys.clear();
    this.keys.set(nameOf(request), key);
    return key;
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

  private async findOrBuild(key: string, work: string, request: LayerRequest): Promise<Layer> {
    return this.find(key) ?? this.buildAlone(key, work, request);
  }

  /** One build at a time for each key, over all processes; whoever waited finds it built. */
  private async buildAlone(key: string, work: string, request: LayerRequest): Promise<Layer> {
    for (;;) {
      const lock = this.lock(key);
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

  private lock(key: string): ReturnType<typeof acquireLock> {
    return acquireLock(join(this.options.folder, `${key}.lock`));
  }

  private async build(key: string, work: string, request: LayerRequest): Promise<Layer> {
    const { logger, clock } = this.options;
    const started = clock.monotonic();
    const entries = await buildLayer(work, request, this.options);
    const folder = await this.place(key, work);
    logger.info({ layer: key, entries, durationMs: Math.round(clock.monotonic() - started) }, 'layer built');
    return { key, folder, entries };
  }

  /** What is there is of a build that was cut off. */
  private async place(key: string, work: string): Promise<string> {
    const folder = join(this.options.folder, key);
    await removeTree(folder);
    renameSync(join(work, 'layer'), folder);
    return folder;
  }

  /** Puts a layer in place after its trial; where somebody else builds it, or has built it, theirs counts. */
  private async keep(key: string, work: string): Promise<void> {
    const lock = this.lock(key);
    if (lock.kind !== 'held') return;
    try {
      if (this.find(key) === undefined) await this.place(key, work);
    } finally {
      lock.release();
    }
  }
}

function settled(layer: Layer): LayerOnTrial {
  return { layer, end: () => Promise.resolve() };
}

function nameOf({ commit, include, setup }: LayerRequest): string {
  return `${commit} ${include ?? ''} ${JSON.stringify(setup)}`;
}
