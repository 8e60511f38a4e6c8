import type { Lane } from '@switchyard/protocol';
import type { Channel } from '@switchyard/transport';
import { isGreeting, namesOf, type Lens } from './frames.ts';
import type { Life, Living, World } from './world.ts';

export type Way = 'up' | 'down';

/** How far a late frame may be late: longer than most leases' grace. */
const lateMsMax = 45_000;

/** Who is at the ends of a connection. */
export interface Ends {
  readonly peer: string;
  readonly lane: Lane;
  readonly peerLife: Living;
  readonly hubLife: Life;
  /** How the peer's version writes and reads frames. */
  readonly lens: Lens;
}

/** Delays, cuts, half-open connections, one-sided silences and repetitions between the hub and its peers. */
export class Network {
  private readonly world: World;
  private readonly silentUntil = new Map<string, number>();
  private readonly twiceUntil = new Map<string, number>();
  private cables: Cable[] = [];

  constructor(world: World) {
    this.world = world;
  }

  /** What the peer sends (`up`) or is sent (`down`) is held back until then, as a lost packet holds back TCP. */
  silence(peer: string, way: Way, forMs: number): void {
    this.silentUntil.set(`${peer} ${way}`, this.world.nowMs + forMs);
  }

  /** Everything but greetings arrives twice, the second time later. */
  repeat(peer: string, forMs: number): void {
    this.twiceUntil.set(peer, this.world.nowMs + forMs);
  }

  heldUntil(peer: string, way: Way): number {
    return this.silentUntil.get(`${peer} ${way}`) ?? 0;
  }

  repeats(peer: string): boolean {
    return (this.twiceUntil.get(peer) ?? 0) > this.world.nowMs;
  }

  /** Nothing is held back or repeated any more; connections of which only one end knows the end are found out. */
  heal(): void {
    this.silentUntil.clear();
    this.twiceUntil.clear();
    for (const cable of this.cables) if (cable.isHalf) cable.cut('the connection was gone');
  }

  /** The connections of a peer break, and both ends learn it; what was on its way is lost. */
  cut(peer: string): void {
    for (const cable of this.of(peer)) cable.cut('the connection was cut');
  }

  /** One end learns that the connection is gone, the other does not, and what is on its way there comes late. */
  halve(peer: string): void {
    for (const cable of this.of(peer)) {
      const learns = this.world.pick([cable.peerEnd, cable.hubEnd]);
      cable.halve(learns, this.world.between(0, lateMsMax));
    }
  }

  /** A process is gone. `withMachine`: nobody is left who would close its connections. */
  ended(life: Life, withMachine: boolean): void {
    for (const cable of this.cables.filter(
      (one) => one.ends.peerLife.process === life || one.ends.hubLife === life,
    )) {
      const gone = cable.ends.peerLife.process === life ? cable.peerEnd : cable.hubEnd;
      const how = withMachine ? 'vanish' : this.world.pick(['close', 'close', 'reset', 'vanish'] as const);
      if (how === 'reset') cable.cut('the connection was reset');
      else if (how === 'vanish') cable.halve(gone, this.world.between(0, lateMsMax));
      else cable.closeBehind(gone);
    }
  }

  /** Puts a frame in front of one end of a peer's control connection, if there is one. */
  inject(peer: string, way: Way, frame: Uint8Array): boolean {
    const cable = this.of(peer).find((one) => one.ends.lane === 'control');
    if (cable === undefined) return false;
    const end = way === 'up' ? cable.hubEnd : cable.peerEnd;
    end.arrive(() => end.take(frame));
    return true;
  }

  /** The ends of the peer and of the hub. */
  connect(ends: Ends): [Channel, Channel] {
    this.cables = this.cables.filter((cable) => !cable.isOver);
    const cable = new Cable(this.world, this, ends);
    this.cables.push(cable);
    return [cable.peerEnd, cable.hubEnd];
  }

  private of(peer: string): Cable[] {
    return this.cables.filter(({ ends, isOver }) => ends.peer === peer && !isOver);
  }
}

class Cable {
  readonly ends: Ends;
  readonly peerEnd: End;
  readonly hubEnd: End;
  /** One end has learnt that it is gone, and the other has not. */
  isHalf = false;
  private readonly world: World;

  constructor(world: World, network: Network, ends: Ends) {
    this.world = world;
    this.ends = ends;
    const { peer, lens } = ends;
    const repeats = (): boolean => peer !== 'person' && network.repeats(peer);
    const up = {
      heldUntil: () => network.heldUntil(peer, 'up'),
      repeats,
      read: (frame: Uint8Array) => frame,
    };
    const down = { heldUntil: () => network.heldUntil(peer, 'down'), repeats, read: lens.read };
    this.hubEnd = new End(world, ends.hubLife, { ...up, write: (frame) => [frame] });
    this.peerEnd = new End(world, ends.peerLife, { ...down, write: lens.write });
    this.peerEnd.other = this.hubEnd;
    this.hubEnd.other = this.peerEnd;
  }

  get isOver(): boolean {
    return this.peerEnd.isOver && this.hubEnd.isOver;
  }

  cut(reason: string): void {
    this.isHalf = false;
    for (const end of [this.peerEnd, this.hubEnd]) end.breakOff(reason);
  }

  halve(learns: End, lateMs: number): void {
    this.isHalf = true;
    learns.breakOff('the connection was gone');
    if (learns.other !== undefined) learns.other.deafUntil = this.world.nowMs + lateMs;
    // Whoever sends into nothing is told so, sometimes.
    if (this.world.random.next() < 0.5) learns.other?.tellOnSend();
  }

  /** What was sent arrives, and then the end. */
  closeBehind(gone: End): void {
    gone.other?.arrive(() => gone.other?.end(1006, 'the process was gone'));
  }
}

interface WayIn {
  readonly heldUntil: () => number;
  readonly repeats: () => boolean;
  readonly read: (frame: Uint8Array) => Uint8Array;
  readonly write: (frame: Uint8Array) => readonly Uint8Array[];
}

class End implements Channel {
  other: End | undefined;
  /** What arrives before then arrives then. */
  deafUntil = 0;
  readonly bufferedBytes = 0;
  private readonly world: World;
  private readonly life: Living;
  private readonly way: WayIn;
  private lastArrival = 0;
  private open = true;
  private cutOff = false;
  private ended = false;
  private tellsOnSend = false;
  private frameHandler: (frame: Uint8Array) => void = () => undefined;
  private closeHandler: (code: number, reason: string) => void = () => undefined;

  constructor(world: World, life: Living, way: WayIn) {
    this.world = world;
    this.life = life;
    this.way = way;
  }

  get isOver(): boolean {
    return this.ended || !this.life.alive;
  }

  send(frame: Uint8Array): void {
    if (!this.open || !this.life.alive) return;
    if (this.tellsOnSend) this.breakOff('the connection was reset');
    for (const written of this.way.write(frame)) {
      const copy = written.slice();
      this.other?.arrive(() => this.other?.take(copy));
      if (this.way.repeats() && !isGreeting(copy))
        this.world.after(this.world.between(20, 2_000), '', () =>
          this.other?.arrive(() => this.other?.take(copy)),
        );
    }
  }

  close(code: number, reason: string): void {
    if (!this.open || !this.life.alive) return;
    this.open = false;
    this.other?.arrive(() => this.other?.end(code, reason));
    this.world.after(0, '', () => this.end(code, reason), this.life);
  }

  onFrame(handler: (frame: Uint8Array) => void): void {
    this.frameHandler = handler;
  }

  onClose(handler: (code: number, reason: string) => void): void {
    this.closeHandler = handler;
  }

  breakOff(reason: string): void {
    this.cutOff = true;
    this.world.after(this.world.between(0, 20), '', () => this.end(1006, reason), this.life);
  }

  /** The next thing that is sent shows that nobody is there. */
  tellOnSend(): void {
    this.tellsOnSend = true;
  }

  /** In the order it was sent, after the way's delay and whatever holds it back. */
  arrive(happen: () => void): void {
    const { world } = this;
    const held = Math.max(this.way.heldUntil(), this.deafUntil) + 1;
    const due = Math.max(world.nowMs + world.between(1, 20), held, this.lastArrival + 0.001);
    this.lastArrival = due;
    world.after(due - world.nowMs, '', () => this.arrived(happen), this.life);
  }

  take(frame: Uint8Array): void {
    if (this.ended || this.cutOff) return;
    this.world.detail(() => {
      const names = namesOf(frame);
      return names === '' ? undefined : `${this.life.process.name} takes ${names}`;
    });
    this.frameHandler(this.way.read(frame));
  }

  end(code: number, reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.open = false;
    this.closeHandler(code, reason);
  }

  /** What was on its way when the connection became half-open comes late. */
  private arrived(happen: () => void): void {
    if (this.deafUntil > this.world.nowMs) this.arrive(happen);
    else happen();
  }
}
