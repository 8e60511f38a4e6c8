import type { MessageId } from '@switchyard/protocol';
import { silentLogger } from '@switchyard/runtime';
import { openOutbox, type Outbox } from '@switchyard/store';
import { SimFiles } from './files.ts';
import type { Life, World } from './world.ts';

const logger = silentLogger();
/** Small, so that the file is written anew within a run. */
const compactBytes = 3_000;

/** A peer's disk below the production outbox, and what was promised of it. */
export class OutboxDisk {
  readonly files: SimFiles;
  /** What was promised to be on the disk and the hub has not acknowledged. */
  readonly promised = new Set<MessageId>();
  /** What the hub has acknowledged since somebody looked. */
  readonly acknowledged: Uint8Array[] = [];
  private readonly file: string;
  private readonly world: World;
  /** What was given to it and the hub has not acknowledged, on the disk or not. */
  private readonly given = new Map<MessageId, Uint8Array>();

  constructor(world: World, name: string) {
    this.world = world;
    this.files = new SimFiles(world);
    this.file = `/${name}/outbox`;
  }

  /** The outbox of a new process. `forgetful`: cleared when it was sent, not when it was acknowledged (a planted bug). */
  open(life: Life, forgetful: boolean): Outbox {
    const outbox = openOutbox({
      file: this.file,
      logger,
      compactBytes,
      files: this.files.of(life),
      soon: (callback) => this.world.after(10, '', callback, life),
      later: (callback) => this.world.after(1_000, '', callback, life),
    });
    return {
      append: async (id, frame) => {
        this.given.set(id, frame.slice());
        await outbox.append(id, frame);
        if (this.given.has(id)) this.promised.add(id);
        if (forgetful) await outbox.acknowledge([id]);
      },
      pending: () => outbox.pending(),
      acknowledge: (ids) => {
        for (const id of life.alive ? ids : []) {
          const frame = this.given.get(id);
          if (frame !== undefined) this.acknowledged.push(frame);
          this.given.delete(id);
          this.promised.delete(id);
        }
        return outbox.acknowledge(ids);
      },
      close: () => outbox.close(),
    };
  }

  /** What was promised and is not there any more. */
  missing(outbox: Outbox): MessageId[] {
    const there = new Set(outbox.pending().map(({ id }) => id));
    return [...this.promised].filter((id) => !there.has(id));
  }
}
