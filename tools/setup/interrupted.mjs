// Ctrl-C and SIGTERM while there is something to put away first.
import { setImmediate } from 'node:timers/promises';

/** Keeps this process alive through them; `told` says whether one has come. */
export class Interrupted {
  #count = 0;
  #listener = () => (this.#count += 1);

  constructor() {
    for (const name of ['SIGINT', 'SIGTERM']) process.on(name, this.#listener);
  }

  /** One that came during work that did not yield counts, too. */
  async told() {
    await setImmediate();
    return this.#count > 0;
  }

  close() {
    for (const name of ['SIGINT', 'SIGTERM']) process.off(name, this.#listener);
  }
}
