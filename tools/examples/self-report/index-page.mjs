// docs/README.md: leads to every page that the tasks before this one wrote. The bottom of the diamond.
import { readdirSync, readFileSync } from 'node:fs';
import { writePage } from './page.mjs';

const pages = readdirSync('docs', { recursive: true })
  .filter((name) => name.endsWith('.md') && name !== 'README.md')
  .sort();
writePage('docs/README.md', [
  '# Switchyard, as it describes itself',
  '',
  `${pages.length} pages, each written by a task of its own, reviewed, merged and verified.`,
  '',
  ...pages.map((name) => `- [${titleOf(name)}](${name})`),
]);

function titleOf(name) {
  const first = readFileSync(`docs/${name}`, 'utf8').split('\n', 1)[0] ?? '';
  return first.replace(/^#+\s*/, '') || name;
}
