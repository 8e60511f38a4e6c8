import type { Terminal } from './terminal.ts';

const redrawMs = 100;

/** Says on standard error what a review is at: one line that changes on a screen, else a line for each engine. */
export class ReviewProgress {
  private readonly terminal: Terminal;
  private readonly isLive: boolean;
  private name = '';
  private files = 0;
  private drawnAt = 0;

  constructor(terminal: Terminal, isLive: boolean) {
    this.terminal = terminal;
    this.isLive = isLive;
  }

  engine(name: string): void {
    this.name = name;
    this.files = 0;
    if (this.isLive) this.draw();
    else this.terminal.err(`  ${name}\n`);
  }

  file(): void {
    this.files += 1;
    if (this.isLive && Date.now() - this.drawnAt >= redrawMs) this.draw();
  }

  /** Takes the line away. */
  close(): void {
    if (this.isLive) this.terminal.err('\r\u001B[K');
  }

  private draw(): void {
    this.drawnAt = Date.now();
    const count = this.files === 0 ? '' : `: ${this.files} ${this.files === 1 ? 'file' : 'files'}`;
    this.terminal.err(`\r\u001B[K  ${this.name}${count}`);
  }
}
