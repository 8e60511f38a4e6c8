/** Turns captured terminal screens with colours into one SVG, without fonts, scripts or links of its own. */

const cell = { width: 8.4, height: 18 };
const edge = { left: 18, top: 46, right: 18, bottom: 16 };
const colours = {
  text: '#d6dae3',
  bright: '#ffffff',
  window: '#161b26',
  bar: '#212837',
  title: '#8b93a7',
  30: '#3b4252',
  31: '#f2777a',
  32: '#8ccf7e',
  33: '#e5c76b',
  34: '#67b0e8',
  35: '#c47fd5',
  36: '#6cbfbf',
  37: '#d6dae3',
  90: '#7a8296',
};
/** Parts of a bar are drawn, since fonts disagree on how wide these signs are. */
const blocks = { '█': 1, '▓': 0.75, '▒': 0.45, '░': 0.16 };
/** No picture is shown for longer than this, and all of them for no longer than that; the last one stays. */
const shownMs = { each: 1_000, all: 20_000 };

/**
 * `frames`: `{ at, text }`, the time in milliseconds and the screen with its escape sequences (SGR only).
 * Where nothing moves (no animation, reduced motion) the last one is seen.
 */
export function drawTerminal(frames, columns) {
  const rows = Math.max(...frames.map(({ text }) => text.trimEnd().split('\n').length));
  const width = Math.ceil(columns * cell.width + edge.left + edge.right);
  const height = rows * cell.height + edge.top + edge.bottom;
  const lines = new LineStore();
  const times = timesOf(frames);
  const total = times.at(-1);
  const groups = frames.map(({ text }, index) => {
    const isLast = index === frames.length - 1;
    const moment = `animation-delay:${seconds(times[index])};animation-duration:${seconds(times[index + 1] - times[index])}`;
    const shown = isLast
      ? ` class="last" style="animation-delay:${seconds(total)}"`
      : ` class="f" style="${moment}"`;
    return `<g${shown}>${lines.place(text)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="A run in a terminal">
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;fill:${colours.text};white-space:pre}
.b{font-weight:700;fill:${colours.bright}}
${lines.styles()}
.f{visibility:hidden;animation-name:shown;animation-timing-function:step-end}
.last{animation:late 1ms step-end backwards}
@keyframes shown{from,to{visibility:visible}}
@keyframes late{from,to{visibility:hidden}}
@media (prefers-reduced-motion:reduce){.f,.last{animation:none}}
</style>
<rect width="${width}" height="${height}" rx="10" fill="${colours.window}"/>
<path d="M0 30V10A10 10 0 0 1 10 0H${width - 10}A10 10 0 0 1 ${width} 10V30Z" fill="${colours.bar}"/>
${['#f2777a', '#e5c76b', '#8ccf7e'].map((fill, at) => `<circle cx="${20 + at * 20}" cy="15" r="5.5" fill="${fill}"/>`).join('')}
<text x="${width / 2}" y="20" text-anchor="middle" style="fill:${colours.title}">switchyard</text>
<defs>
${lines.definitions()}
</defs>
${groups.join('\n')}
</svg>
`;
}

/** When each picture begins, and when the last one does once more at the end. */
function timesOf(frames) {
  const times = [0];
  for (let index = 1; index < frames.length; index += 1)
    times.push(times.at(-1) + Math.min(shownMs.each, frames[index].at - frames[index - 1].at));
  const faster = Math.max(1, times.at(-1) / shownMs.all);
  return times.map((time) => time / faster);
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(2)}s`;
}

/** Lines that are drawn once and used by each picture that shows them. */
class LineStore {
  ids = new Map();
  used = new Set();

  place(screen) {
    return screenRuns(screen)
      .map((runs, row) => {
        const drawn = this.draw(runs);
        if (drawn === '') return '';
        if (!this.ids.has(drawn)) this.ids.set(drawn, `l${this.ids.size}`);
        return `<use href="#${this.ids.get(drawn)}" y="${edge.top + row * cell.height}"/>`;
      })
      .join('');
  }

  draw(runs) {
    return runs
      .map(({ text, column, style }) => {
        if (text.trim() === '') return '';
        const x = round(edge.left + column * cell.width);
        const block = blocks[text[0]];
        if (block !== undefined) return this.bar({ x, length: [...text].length, style, block });
        this.used.add(style.colour);
        const names = [style.isBold ? 'b' : '', style.colour === undefined ? '' : `c${style.colour}`];
        const kind = names.filter(Boolean).join(' ');
        return `<text x="${x}" y="13"${kind === '' ? '' : ` class="${kind}"`}>${escaped(text.trimEnd())}</text>`;
      })
      .join('');
  }

  bar({ x, length, style, block }) {
    const fill = colours[style.colour] ?? colours.text;
    const width = round(length * cell.width);
    return `<rect x="${x}" y="2" width="${width}" height="13" fill="${fill}" opacity="${block}"/>`;
  }

  styles() {
    return [...this.used]
      .filter((colour) => colour !== undefined)
      .map((colour) => `.c${colour}{fill:${colours[colour] ?? colours.text}}`)
      .join('\n');
  }

  definitions() {
    return [...this.ids].map(([drawn, id]) => `<g id="${id}">${drawn}</g>`).join('\n');
  }
}

/** A change of style, letters of ASCII, parts of a bar, or any other sign. */
const pieces = new RegExp(`${String.fromCharCode(27)}\\[([\\d;]*)m|[ -~]+|[█▓▒░]+|[^]`, 'gu');

/**
 * The lines of a screen as pieces of one style each; a style goes on into the next line. Signs outside ASCII stand
 * alone, so that their width moves nothing.
 */
function screenRuns(screen) {
  let style = {};
  return screen.split('\n').map((line) => {
    const runs = [];
    let column = 0;
    for (const [piece, codes] of line.matchAll(pieces)) {
      if (codes !== undefined) {
        style = styleAfter(style, codes);
        continue;
      }
      runs.push({ text: piece, column, style });
      column += [...piece].length;
    }
    return runs;
  });
}

function styleAfter(style, codes) {
  let next = style;
  for (const code of codes.split(';').map(Number)) {
    if (code === 0) next = {};
    else if (code === 1) next = { ...next, isBold: true };
    else if (code === 22) next = { ...next, isBold: false };
    else if (code === 39) next = { ...next, colour: undefined };
    else if ((code >= 30 && code <= 37) || code === 90) next = { ...next, colour: code };
  }
  return next;
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function round(number) {
  return Math.round(number * 10) / 10;
}
