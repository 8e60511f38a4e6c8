// docs/statistics.md: files and lines by package, tests beside sources.
import { readFileSync } from 'node:fs';
import { table, writePage } from './page.mjs';

const packages = JSON.parse(readFileSync('docs/packages.json', 'utf8'));
const rows = packages.map((each) => {
  const sources = each.sources.map(linesOf);
  const tests = each.tests.map(linesOf);
  return { short: each.short, sources, tests };
});
const sum = (numbers) => numbers.reduce((total, value) => total + value, 0);
const all = rows.flatMap((row) => row.sources).sort((a, b) => a - b);

writePage('docs/statistics.md', [
  '# The code in numbers',
  '',
  `${all.length} source files, ${sum(all)} lines; the median file has ${all[Math.floor(all.length / 2)] ?? 0},`,
  `the longest ${all.at(-1) ?? 0}.`,
  '',
  ...table(
    ['package', 'files', 'lines', 'longest file', 'test files', 'test lines'],
    rows.map(({ short, sources, tests }) => [
      short,
      sources.length,
      sum(sources),
      Math.max(0, ...sources),
      tests.length,
      sum(tests),
    ]),
  ),
]);

function linesOf(file) {
  return readFileSync(file, 'utf8').split('\n').length - 1;
}
