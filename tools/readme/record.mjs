// Records the picture of the README: runs the main job in a terminal, takes what the terminal shows every moment,
// and writes it as one self-contained SVG that plays once and stays at the end.
//   node tools/readme/record.mjs            needs tmux; run `npm start` once before, so that nothing is set up meanwhile
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { drawTerminal } from './draw-terminal.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const size = { columns: 120, rows: 40 };
const frameMs = 500;
const timeoutMs = 300_000;
const over = /the report stays/;

const folder = mkdtempSync(join(tmpdir(), 'switchyard-record-'));
const socket = join(folder, 'tmux');
const tmux = (...args) =>
  execFileSync('tmux', ['-f', '/dev/null', '-S', socket, ...args], { encoding: 'utf8' });

try {
  const frames = await record();
  writeFileSync(new URL('run.svg', import.meta.url), drawTerminal(frames, size.columns));
  console.log(`${frames.length} pictures`);
} finally {
  tmux('kill-server');
  rmSync(folder, { recursive: true, force: true });
}

/** What the terminal showed, each picture with the time it came. */
async function record() {
  const { columns, rows } = size;
  const shell = `cd '${root}' && PS1='$ ' exec bash --norc --noprofile`;
  tmux('new-session', '-d', '-x', String(columns), '-y', String(rows), shell);
  tmux('set-option', '-g', 'status', 'off');
  await sleep(500);
  tmux('send-keys', 'npm start', 'Enter');
  const frames = [];
  const began = performance.now();
  for (;;) {
    await sleep(frameMs);
    const at = performance.now() - began;
    const text = tmux('capture-pane', '-e', '-p').replace(/\n\$?\s*$/, '');
    if (text !== frames.at(-1)?.text) frames.push({ at, text });
    if (over.test(text)) return frames;
    if (at > timeoutMs) throw new Error(`the run did not end:\n${text}`);
  }
}
