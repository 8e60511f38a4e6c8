import { z } from 'zod';
import { defineTool, type Tool } from './tool.ts';
import { toolLimits } from './tool-limits.ts';

const path = z.string().min(1).max(toolLimits.pathChars);
const content = z.string().max(toolLimits.contentChars);

const writeToFile = defineTool({
  name: 'write_to_file',
  group: 'edit',
  description:
    'Writes a whole file; makes missing folders, replaces what is there. For a change of a part use apply_diff.',
  input: z.object({ path: path.describe('the file'), content: content.describe('all of it') }),
  async run({ path: file, content: text }, { files }) {
    await files.writeFile(file, text);
    return `wrote ${file} (${text.split('\n').length} lines)`;
  },
});

const applyDiff = defineTool({
  name: 'apply_diff',
  group: 'edit',
  description: `Changes parts of a file by one or more blocks, all or none of them:
<<<<<<< SEARCH
:start_line:12
-------
the lines as they are
=======
the lines instead
>>>>>>> REPLACE
The SEARCH lines must be in the file, letter for letter. :start_line: and the rule below it may be left out; they say which of several equal places is meant.`,
  input: z.object({ path: path.describe('the file'), diff: content.min(1).describe('the blocks') }),
  async run({ path: file, diff }, { files }) {
    await files.applyDiff(file, diff);
    return `changed ${file}`;
  },
});

const insertContent = defineTool({
  name: 'insert_content',
  group: 'edit',
  description: 'Inserts lines into a file before a line, or at its end.',
  input: z.object({
    path: path.describe('the file'),
    line: z.coerce.number().int().min(0).describe('before this line, counted from 1; 0: at the end'),
    content: content.min(1).describe('the lines'),
  }),
  async run({ path: file, line, content: text }, { files }) {
    await files.insertContent(file, line === 0 ? Number.MAX_SAFE_INTEGER : line - 1, text);
    return `inserted ${text.split('\n').length} lines into ${file}`;
  },
});

const moveFile = defineTool({
  name: 'move_file',
  group: 'edit',
  description: 'Moves or renames a file or a folder.',
  input: z.object({ from: path.describe('what is moved'), to: path.describe('its new path') }),
  async run({ from, to }, { files }) {
    await files.move(from, to);
    return `moved ${from} to ${to}`;
  },
});

const removeFile = defineTool({
  name: 'remove_file',
  group: 'edit',
  description: 'Removes a file, a link, or a folder with all that is in it.',
  input: z.object({ path: path.describe('what is removed') }),
  async run({ path: file }, { files }) {
    await files.remove(file);
    return `removed ${file}`;
  },
});

export const editTools: readonly Tool[] = [writeToFile, applyDiff, insertContent, moveFile, removeFile];
