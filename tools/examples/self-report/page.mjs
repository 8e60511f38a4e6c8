// Writing pages: whole files, with their folders made.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes a text file that ends with one newline, and says so. */
export function writePage(file, lines) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${lines.join('\n').trimEnd()}\n`);
  console.log(`wrote ${file}`);
}

/** A Markdown table; bars and line breaks in cells are made harmless. */
export function table(head, rows) {
  const cell = (value) =>
    String(value)
      .replaceAll('|', '\\|')
      .replace(/\s*\n\s*/g, ' ');
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
