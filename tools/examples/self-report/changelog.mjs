// docs/CHANGELOG.md: the real history, newest day first, read by the module that the task before this one wrote.
// Run with tsx: node --import tsx tools/examples/self-report/changelog.mjs
import { readHistory } from '../../../generated/history/read-history.ts';
import { writePage } from './page.mjs';

const entries = readHistory('.').reverse();
if (entries.length === 0) throw new Error('the repository has no history');
const days = [...new Set(entries.map((entry) => entry.day))];
writePage('docs/CHANGELOG.md', [
  '# Changelog',
  '',
  `${entries.length} commits.`,
  ...days.flatMap((day) => [
    '',
    `## ${day}`,
    '',
    ...entries
      .filter((entry) => entry.day === day)
      .map((entry) => `- ${entry.subject} (\`${entry.commit.slice(0, 8)}\`)`),
  ]),
]);
