import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Which way bytes go: `up` from the client to the hub, `down` back. */
export type Direction = 'up' | 'down';

/** One connection through the relay. */
export interface Passage {
  readonly client: Socket;
  readonly hub: Socket;
}

export interface RelayOptions {
  /** The port of the hub on the loopback at this moment; undefined: nobody is there. */
  readonly hubPort: () => number | undefined;
  /** Sees every chunk before it is passed on; false: it is not passed on, and the connection is cut. */
  readonly tap?: (chunk: Buffer, direction: Direction, passage: Passage) => boolean;
}

/**
 * A TCP relay in front of the hub. It can cut what is connected, refuse what comes, and hold the bytes of one
 * direction back while the connections stay open.
 */
export class Relay {
  private readonly options: RelayOptions;
  private readonly server: Server;
  private readonly passages = new Set<Passage>();
  private refuses = false;
  private stalled: Direction | undefined;

  private constructor(options: RelayOptions) {
    this.options = options;
    this.server = createServer((client) => this.accept(client));
  }

  /** Listens on a free port of the loopback. */
  static async open(options: RelayOptions): Promise<Relay> {
    const relay = new Relay(options);
    await new Promise<void>((resolve, reject) => {
      relay.server.once('error', reject);
      relay.server.listen(0, '127.0.0.1', resolve);
    });
    return relay;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port; // a listening TCP server has one
  }

  /** Ends every connection by a reset; the answer is how many there were. */
  cut(): number {
    const cut = [...this.passages];
    for (const passage of cut) this.end(passage);
    return cut.length;
  }

  /** Cuts, and lets nobody in until `pass`. */
  refuse(): void {
    this.refuses = true;
    this.cut();
  }

  /** Holds the bytes of one direction back until `pass`. */
  stall(direction: Direction): void {
    this.stalled = direction;
    for (const passage of this.passages) sourceOf(passage, direction).pause();
  }

  /** Lets everything through again. */
  pass(): void {
    this.refuses = false;
    const { stalled } = this;
    this.stalled = undefined;
    if (stalled === undefined) return;
    for (const passage of this.passages) sourceOf(passage, stalled).resume();
  }

  async close(): Promise<void> {
    this.refuse();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private accept(client: Socket): void {
    const port = this.refuses ? undefined : this.options.hubPort();
    client.on('error', () => client.destroy());
    if (port === undefined) return void client.resetAndDestroy();
    const hub = connect({ host: '127.0.0.1', port });
    const passage = { client, hub };
    this.passages.add(passage);
    hub.on('error', () => this.end(passage));
    for (const direction of ['up', 'down'] as const) this.join(passage, direction);
  }

  private join(passage: Passage, direction: Direction): void {
    const from = sourceOf(passage, direction);
    const to = direction === 'up' ? passage.hub : passage.client;
    from.on('data', (chunk) => {
      if (this.options.tap?.(chunk, direction, passage) === false) return this.end(passage);
      if (to.write(chunk)) return;
      from.pause();
      to.once('drain', () => {
        if (this.stalled !== direction) from.resume();
      });
    });
    from.on('end', () => to.end());
    from.on('close', () => {
      to.destroySoon();
      this.passages.delete(passage);
    });
    if (this.stalled === direction) from.pause();
  }

  private end(passage: Passage): void {
    this.passages.delete(passage);
    for (const socket of [passage.client, passage.hub]) socket.resetAndDestroy();
  }
}

function sourceOf({ client, hub }: Passage, direction: Direction): Socket {
  return direction === 'up' ? client : hub;
}
