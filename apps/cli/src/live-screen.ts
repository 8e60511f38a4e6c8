import type { RunHandle } from '@switchyard/client';
import type { PeerView, RunEvent } from '@switchyard/protocol';
import { createLogUpdate } from 'log-update';
import { liveLines } from './live-view.ts';
import { isTold } from './event-text.ts';
import type { Terminal } from './terminal.ts';
import { waitingNotes } from './waiting-text.ts';

const redrawMs = 250;
const eventsKept = 10;

/** Draws the live view again and again on a screen, until closed. */
export class LiveScreen {
  private readonly terminal: Terminal;
  private readonly handle: RunHandle;
  private readonly update = createLogUpdate(process.stdout);
  private readonly timer: NodeJS.Timeout;
  private events: RunEvent[] = [];
  private knownPeers: readonly PeerView[] = [];
  private text: string | undefined;
  private closed = false;

  constructor(terminal: Terminal, handle: RunHandle) {
    this.terminal = terminal;
    this.handle = handle;
    this.timer = setInterval(() => this.draw(), redrawMs);
  }

  event(event: RunEvent): void {
    if (isTold(event)) this.events = [...this.events, event].slice(-eventsKept);
  }

  peers(peers: readonly PeerView[]): void {
    this.knownPeers = peers;
  }

  /** A word at the foot; undefined: none. */
  note(text: string | undefined): void {
    this.text = text;
  }

  /** Leaves the last picture on the screen, or takes it away for what comes in its place. */
  close(how: 'leave' | 'clear' = 'leave'): void {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.timer);
    this.draw();
    if (how === 'clear') this.update.clear();
    this.update.done();
  }

  private draw(): void {
    const view = this.handle.view();
    if (view === undefined) return;
    const { columns, rows, paint } = this.terminal;
    const lost = this.text === undefined ? [] : [this.text];
    const input = {
      view,
      events: this.events,
      peers: this.knownPeers,
      now: Date.now(),
      columns: columns(),
      rows: rows(),
      paint,
      notes: [...lost, ...waitingNotes(view)],
    };
    this.update(liveLines(input).join('\n'));
  }
}
