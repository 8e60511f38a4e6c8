// Records the picture of the README: runs the main job in a terminal (util-linux `script`), takes what it leaves on
// the screen, and draws that as an SVG.
//   node tools/readme/record.mjs [FILE-WITH-TERMINAL-OUTPUT]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const target = fileURLToPath(new URL('run.svg', import.meta.url));
const start = fileURLToPath(new URL('../setup/start.mjs', import.meta.url));
const columns = 112;

const colours = {
  30: '#484f58',
  31: '#ff7b72',
  32: '#7ee787',
  33: '#e3b341',
  34: '#79c0ff',
  35: '#d2a8ff',
  36: '#76e3ea',
  90: '#8b949e',
};

writeFileSync(
  target,
  draw(screenOf(process.argv[2] === undefined ? record() : readFileSync(process.argv[2], 'utf8'))),
);

function record() {
  const file = join(mkdtempSync(join(tmpdir(), 'switchyard-record-')), 'terminal');
  const command = `stty cols ${columns} rows 50; ${process.execPath} ${start}`;
  spawnSync('script', ['-qec', command, file], { stdio: 'inherit' });
  return readFileSync(file, 'utf8');
}

/** One control sequence (ECMA-48) or one character. */
const escape = String.fromCharCode(27);
const bell = String.fromCharCode(7);
const sequence = new RegExp(`${escape}\\[[0-9;?]*[A-Za-z]|${escape}\\][^${bell}]*${bell}|[^]`, 'gu');

/** What stands on the screen at the end: lines of styled pieces, cursor movements carried out. */
function screenOf(text) {
  const lines = [[]];
  let row = 0;
  let column = 0;
  let style = {};
  const put = (char) => {
    (lines[row] ??= [])[column++] = { char, style };
  };
  for (const [part] of text.replace(/^Script (started|done).*\n/gm, '').matchAll(sequence)) {
    if (part === '\n') [row, column] = [row + 1, 0];
    else if (part === '\r') column = 0;
    else if (!part.startsWith(escape)) put(part);
    else ({ row, column, style } = move({ row, column, style, lines }, part));
  }
  return lines.map((line) => line ?? []);
}

function move({ row, column, style, lines }, code) {
  const amount = Number(/\d+/.exec(code)?.[0] ?? 1);
  switch (code.at(-1)) {
    case 'm':
      return { row, column, style: styled(style, code.slice(2, -1)) };
    case 'A':
      return { row: Math.max(0, row - amount), column, style };
    case 'G':
      return { row, column: amount - 1, style };
    case 'K':
      (lines[row] ??= []).length = code === `${escape}[2K` ? 0 : Math.min(column, lines[row].length);
      return { row, column, style };
    case 'J':
      lines.length = row + 1;
      (lines[row] ??= []).length = Math.min(column, lines[row].length);
      return { row, column, style };
    default:
      return { row, column, style };
  }
}

function styled(style, codes) {
  let next = { ...style };
  for (const code of codes.split(';').map(Number)) {
    if (code === 0) next = {};
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 22) next = { ...next, bold: false, dim: false };
    else if (code === 39) delete next.colour;
    else if (colours[code] !== undefined) next.colour = colours[code];
  }
  return next;
}

function draw(screen) {
  const shown = screen.filter(
    (line) => !/switchyard-start-/.test(line.map((cell) => cell?.char ?? ' ').join('')),
  );
  const rows = shown.flatMap(wrapped).slice(-44);
  const [width, height] = [columns * 8.05 + 40, rows.length * 19 + 60];
  const text = rows
    .map((line, index) => `<text x="20" y="${58 + index * 19}" xml:space="preserve">${pieces(line)}</text>`)
    .join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="A run in a terminal">
<rect width="100%" height="100%" rx="10" fill="#0d1117"/>
<g fill="#30363d"><circle cx="22" cy="20" r="6"/><circle cx="42" cy="20" r="6"/><circle cx="62" cy="20" r="6"/></g>
<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="13.3" fill="#c9d1d9">
${text}
</g>
</svg>
`;
}

/** A line as the terminal breaks it. */
function wrapped(line) {
  const rows = [];
  for (let from = 0; from === 0 || from < line.length; from += columns)
    rows.push(line.slice(from, from + columns));
  return rows;
}

function pieces(line) {
  const cells = [...line].map((cell) => cell ?? { char: ' ', style: {} });
  let drawn = '';
  for (let from = 0, to = 0; from < cells.length; from = to) {
    while (to < cells.length && JSON.stringify(cells[to].style) === JSON.stringify(cells[from].style))
      to += 1;
    const { colour, bold, dim } = cells[from].style;
    const attributes = `${colour === undefined ? '' : ` fill="${colour}"`}${bold ? ' font-weight="bold"' : ''}${dim ? ' opacity="0.65"' : ''}`;
    const text = cells
      .slice(from, to)
      .map(({ char }) => char)
      .join('');
    const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    drawn += attributes === '' ? escaped : `<tspan${attributes}>${escaped}</tspan>`;
  }
  return drawn;
}
