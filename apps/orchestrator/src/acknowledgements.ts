import type { IgnoredMessage, MessageId, PayloadInput, PeerId } from '@switchyard/protocol';
import type { Loop } from './loop.ts';
import type { Send } from './ports.ts';

/** Reports that one message acknowledges; what it says of ignored ones has to fit its frame. */
const reportsMax = 1_000;

interface Word {
  readonly of: MessageId[];
  readonly ignored: IgnoredMessage[];
}

/** Tells senders that the journal has their reports, once it has: in one message for each peer and turn. */
export class Acknowledgements {
  private words = new Map<PeerId, Word>();
  private readonly loop: Pick<Loop, 'tell'>;
  private readonly send: Send;

  constructor(loop: Pick<Loop, 'tell'>, send: Send) {
    this.loop = loop;
    this.send = send;
  }

  /** `ignored`: why the report changed nothing, if so. It leaves before whatever this turn sends from now on. */
  add(to: PeerId, id: MessageId, ignored: IgnoredMessage | undefined): void {
    if (this.words.size === 0)
      this.loop.tell(() => {
        const { words } = this;
        this.words = new Map();
        return () => this.sendAll(words);
      });
    let word = this.words.get(to);
    if (word === undefined) this.words.set(to, (word = { of: [], ignored: [] }));
    word.of.push(id);
    if (ignored !== undefined) word.ignored.push(ignored);
  }

  private sendAll(words: ReadonlyMap<PeerId, Word>): void {
    for (const [to, word] of words)
      for (let first = 0; first < word.of.length; first += reportsMax)
        this.send(to, 'ack', part(word, first));
  }
}

function part({ of: ids, ignored }: Word, first: number): PayloadInput<'ack'> {
  const of = ids.slice(first, first + reportsMax);
  if (ignored.length === 0) return { of };
  const known = new Set(of);
  const told = ignored.filter(({ id }) => known.has(id));
  return told.length === 0 ? { of } : { of, ignored: told };
}
