import { existsSync } from 'node:fs';

/** Loaded before a program: once the file is there, the machine's clock is an hour back, as if somebody had set it. */
const file = process.env.CLOCK_SET_BACK ?? '';
const now = Date.now.bind(Date);
const hourMs = 3_600_000;
const told = () => now() - (existsSync(file) ? hourMs : 0);

globalThis.Date = class extends Date {
  constructor(...given) {
    if (given.length === 0) super(told());
    else super(...given);
  }
  static now() {
    return told();
  }
};
