import type { RunHandle } from '@switchyard/client';
import type { RunEventKind } from '@switchyard/protocol';

/** What happens in a run, and when it is over. */
export interface Happenings {
  readonly handle: Pick<RunHandle, 'on'>;
  readonly kinds: ReadonlySet<RunEventKind>;
  readonly end: Promise<unknown>;
}

/** Does the same at the beginning, at every event of these kinds, one at a time, and once more at the end. */
export async function atMoments(
  { handle, kinds, end }: Happenings,
  update: () => Promise<void>,
): Promise<void> {
  let isDue = false;
  let wake: () => void = () => undefined;
  handle.on('event', ({ kind }) => {
    if (!kinds.has(kind)) return;
    isDue = true;
    wake();
  });
  const over = end.then(() => 'over' as const);
  await update();
  for (let isOver = false; !isOver;) {
    const next = new Promise<'due'>((tell) => (wake = () => tell('due')));
    isOver = !isDue && (await Promise.race([over, next])) === 'over';
    isDue = false;
    await update();
  }
}
