import { AppError } from '@switchyard/protocol';
import { snapshotsKept, type NewSnapshot, type SnapshotHead, type SnapshotShelf } from './snapshot-shelf.ts';

/** A shelf that lives as long as the process. `lastSeq`: the last fact of the journal beside it. */
export function openMemoryShelf(lastSeq: () => number): SnapshotShelf {
  const snapshots: NewSnapshot[] = [];
  const events = new Map<string, unknown[]>();
  const same = (a: SnapshotHead, b: SnapshotHead): boolean => a.stream === b.stream && a.seq === b.seq;
  return {
    lastSeq,
    heads: () => snapshots.toSorted((a, b) => b.seq - a.seq),
    read(head) {
      const found = snapshots.find((each) => same(each, head));
      if (found === undefined) throw gone(`the snapshot of ${head.stream} at ${head.seq}`);
      return JSON.parse(found.parts.join('')) as unknown;
    },
    async keep(added) {
      await Promise.resolve();
      for (const snapshot of added) {
        const kept = events.get(snapshot.stream) ?? [];
        const first = snapshot.events - snapshot.newEvents.length;
        events.set(snapshot.stream, [...kept.slice(0, first), ...snapshot.newEvents]);
        const others = snapshots.filter((each) => !same(each, snapshot));
        snapshots.splice(0, Infinity, ...others, snapshot);
        const own = snapshots.filter(({ stream }) => stream === snapshot.stream);
        const old = own.toSorted((a, b) => b.seq - a.seq).slice(snapshotsKept);
        snapshots.splice(0, Infinity, ...snapshots.filter((each) => !old.includes(each)));
      }
    },
    events(stream, count) {
      const kept = events.get(stream) ?? [];
      if (kept.length < count) throw gone(`events of ${stream}`);
      return structuredClone(kept.slice(0, count));
    },
  };
}

function gone(what: string): AppError {
  return new AppError('E_STATE_DAMAGED', `${what} is gone`);
}
