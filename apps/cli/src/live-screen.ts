import type { RunHandle } from '@switchyard/client';
import type { PeerView, RunEvent, TaskView } from '@switchyard/protocol';
import { createLogUpdate } from 'log-update';
import { liveLines } from './live-view.ts';
import type { Terminal } from './terminal.ts';

const redrawMs = 250;
const eventsKept = 50;

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
    this.events = [...this.events, event].slice(-eventsKept);
  }

  peers(peers: readonly PeerView[]): void {
    this.knownPeers = peers;
  }

  /** A word at the foot; undefined: none. */
  note(text: string | undefined): void {
    this.text = text;
  }

  /** Leaves the last picture on the screen. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.timer);
    this.draw();
    this.update.done();
  }

  private draw(): void {
    const view = this.handle.view();
    if (view === undefined) return;
    const { columns, rows, paint } = this.terminal;
    const note = this.text ?? waitingNote(view.run, view.tasks);
    const input = {
      view,
      events: this.events,
      peers: this.knownPeers,
      now: Date.now(),
      columns: columns(),
      rows: rows(),
      paint,
      note,
    };
    this.update(liveLines(input).join('\n'));
  }
}

function waitingNote(run: string, tasks: readonly TaskView[]): string | undefined {
  const task = tasks.find(({ phase }) => phase === 'waiting');
  if (task === undefined) return undefined;
  const id = JSON.stringify(task.id);
  return task.waiting?.kind === 'escalation'
    ? `${task.id} asks: switchyard answer ${run} ${id} --action retry|skip|fail|accept`
    : `${task.id} waits for you: switchyard gate approve ${run} ${id}   (or reject)`;
}
