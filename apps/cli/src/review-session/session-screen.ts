import type { SessionFact, SessionState } from '@switchyard/review';
import type { Terminal } from '../terminal.ts';
import { sessionFactLine, sessionLiveLine } from './session-text.ts';

/** Says on standard error what a session is at: a line for what matters, and on a screen one that changes. */
export class SessionScreen {
  private readonly terminal: Terminal;
  private isDrawn = false;

  constructor(terminal: Terminal) {
    this.terminal = terminal;
  }

  say(text: string): void {
    this.wipe();
    this.terminal.err(`${text}\n`);
  }

  told(fact: SessionFact, state: SessionState): void {
    const line = sessionFactLine(fact, state, this.terminal.paint);
    if (line !== undefined) this.say(line);
    if (!this.terminal.isScreen || state.reviewers.length === 0) return;
    this.wipe();
    this.terminal.err(sessionLiveLine(state, this.terminal.columns()));
    this.isDrawn = true;
  }

  close(): void {
    this.wipe();
  }

  private wipe(): void {
    if (this.isDrawn) this.terminal.err('\r\u001B[K');
    this.isDrawn = false;
  }
}
