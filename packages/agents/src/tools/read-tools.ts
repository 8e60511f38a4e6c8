import { AppError } from '@switchyard/protocol';
import { z } from 'zod';
import { globPattern } from './name-glob.ts';
import { defineTool, type Tool } from './tool.ts';
import { toolLimits } from './tool-limits.ts';
import { searchRanked } from './ranked-search.ts';

const path = z.string().min(1).max(toolLimits.pathChars);
const line = z.coerce.number().int().min(1).optional();

const readFile = defineTool({
  name: 'read_file',
  group: 'read',
  isParallel: true,
  description:
    'Reads a text file. Answers with its lines, each behind its number. Paths are relative to the root of the repository. Long files come in parts: give start_line and end_line.',
  input: z.object({
    path: path.describe('the file'),
    start_line: line.describe('first line, counted from 1 (default: 1)'),
    end_line: line.describe('last line (default: the end)'),
  }),
  async run({ path: file, start_line: from = 1, end_line: to }, { files }) {
    const content = textOf(await files.readFile(file), file);
    if (content === '') return '(the file is empty)';
    const lines = content.replace(/\r?\n$/, '').split('\n');
    return numbered(lines, from, Math.min(to ?? lines.length, lines.length));
  },
});

/** Throws E_NOT_REGULAR for what is no text. */
function textOf(bytes: Uint8Array, file: string): string {
  if (bytes.subarray(0, 8192).includes(0))
    throw new AppError('E_NOT_REGULAR', `${file} is no text file (${bytes.length} bytes)`);
  return new TextDecoder().decode(bytes);
}

function numbered(lines: readonly string[], from: number, to: number): string {
  if (from > lines.length) return `(the file has ${lines.length} lines)`;
  const shown: string[] = [];
  let chars = 0;
  let at = from;
  for (; at <= to && shown.length < toolLimits.readLines && chars < toolLimits.readChars; at += 1) {
    const text = `${at} | ${(lines[at - 1] ?? '').slice(0, toolLimits.lineChars)}`;
    chars += text.length + 1;
    shown.push(text);
  }
  if (at <= to) shown.push(`[lines ${at} to ${to} are not shown: call again with start_line ${at}]`);
  return shown.join('\n');
}

/** What nobody means when he asks for all files. */
const passedOver = /(^|\/)(\.git|node_modules)(\/|$)/;

const listFiles = defineTool({
  name: 'list_files',
  group: 'read',
  isParallel: true,
  description:
    'Lists the files and folders of a folder; folders end in /. With recursive, all below it but .git and node_modules.',
  input: z.object({
    path: path.default('.').describe('the folder (default: the root of the repository)'),
    recursive: z.boolean().default(false),
  }),
  async run({ path: folder, recursive }, { files }) {
    const entries = (await files.listFiles(folder, { recursive })).filter(
      (entry) => !passedOver.test(entry.path),
    );
    const shown = entries
      .slice(0, toolLimits.listEntries)
      .map(({ path: name, kind }) => (kind === 'folder' ? `${name}/` : name));
    const more = entries.length - shown.length;
    if (more > 0) shown.push(`[${more} more: list a folder further down]`);
    return shown.length === 0 ? '(nothing is there)' : shown.join('\n');
  },
});

const searchFiles = defineTool({
  name: 'search_files',
  group: 'read',
  isParallel: true,
  description:
    'Searches text files below a folder for a regular expression (JavaScript; (?i) at its start ignores case). Answers with file:line:text.',
  input: z.object({
    path: path.default('.').describe('the folder or file (default: the root of the repository)'),
    regex: z.string().min(1).max(4096),
    file_pattern: z.string().min(1).max(200).optional().describe('only files like this, for example *.ts'),
  }),
  async run({ path: folder, regex, file_pattern: glob }, { files }) {
    const fits = glob === undefined ? () => true : globPattern(glob);
    const hits = (await files.searchFiles(folder, regex)).filter((hit) => fits(hit.split(':', 1)[0] ?? ''));
    const shown = hits.slice(0, toolLimits.searchHits);
    if (hits.length > shown.length)
      shown.push(`[${hits.length - shown.length} more hits: narrow the search]`);
    return shown.length === 0 ? '(no line matches)' : shown.join('\n');
  },
});

const codebaseSearch = defineTool({
  name: 'codebase_search',
  group: 'read',
  isParallel: true,
  description:
    'Finds the places of the code base that have most to do with some words, best first, with file and lines. For exact text use search_files.',
  input: z.object({
    query: z.string().min(1).max(1000).describe('what is looked for, in words or names'),
    path: path.default('.').describe('only below this folder (default: everywhere)'),
  }),
  async run({ query, path: folder }, { files, signal }) {
    const { hits, filesLeftOut } = await searchRanked(files, { folder, query, signal });
    const note = filesLeftOut > 0 ? `\n[${filesLeftOut} files were left out: the folder is too large]` : '';
    if (hits.length === 0) return `(nothing has to do with these words)${note}`;
    const shown = hits.map(
      ({ file, firstLine, lastLine, score, text }) =>
        `${file}:${firstLine}-${lastLine} (score ${score.toFixed(2)})\n${text}`,
    );
    return `${shown.join('\n\n')}${note}`;
  },
});

export const readTools: readonly Tool[] = [readFile, listFiles, searchFiles, codebaseSearch];
