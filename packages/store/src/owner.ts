import { hostname } from 'node:os';
import { AppError } from '@switchyard/protocol';
import type Database from 'libsql';

/** The journal's own fence: who opened it last may append, and nobody else. */
export interface Owner {
  /** Names the journal. */
  readonly journal: string;
  /** Grows with each opening for writing. */
  readonly epoch: number;
}

/** Takes the journal over from whoever had it. */
export function claimOwner(db: Database.Database): Owner {
  const holder = `process ${process.pid} on ${hostname()}`;
  const [journal, epoch] = db
    .prepare('update owner set epoch = epoch + 1, holder = ? where one = 1 returning journal, epoch')
    .raw(true)
    .get(holder) as [string, number];
  return { journal, epoch };
}

/** Checks, inside a transaction, that nobody has taken the journal over since. */
export class OwnerCheck {
  private readonly file: string;
  private readonly owner: Owner;
  private readonly select: Database.Statement;

  constructor(db: Database.Database, file: string, owner: Owner) {
    this.file = file;
    this.owner = owner;
    this.select = db.prepare('select epoch, holder from owner where one = 1').raw(true);
  }

  /** The condition of a statement that writes only while this is so; takes `epoch`. */
  static readonly holds = '(select epoch from owner where one = 1) = ?';

  get epoch(): number {
    return this.owner.epoch;
  }

  /** Throws AppError E_STATE_LOCKED. */
  require(): void {
    const [epoch, holder] = (this.select.get() ?? [0, 'somebody']) as [number, string];
    if (epoch === this.owner.epoch) return;
    throw new AppError(
      'E_STATE_LOCKED',
      `${this.file} was taken over by ${holder}; this process writes nothing more to it. One orchestrator serves a state folder: end the other with \`switchyard down\``,
      { details: { file: this.file, epoch, ours: this.owner.epoch } },
    );
  }
}
