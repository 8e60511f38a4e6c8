// Acceptance: a page is there, begins with a title, says nothing undefined, and all its relative links lead somewhere.
//   node tools/examples/self-report/check-page.mjs PAGE [LEAST_LINES]
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const [page, least = '5'] = process.argv.slice(2);
const text = readFileSync(page, 'utf8');
const problems = [];
if (!text.startsWith('# ')) problems.push('it does not begin with a title');
if (/\|\s*(undefined|NaN)\s*\||\[object Object\]/.test(text))
  problems.push('it shows a value that is missing');
if (text.split('\n').length < Number(least)) problems.push(`it has fewer than ${least} lines`);
for (const [, target] of text.matchAll(/\]\(([^)#:]+)\)/g))
  if (!existsSync(join(dirname(page), target))) problems.push(`its link to ${target} leads nowhere`);

for (const problem of problems) console.error(`${page}: ${problem}`);
console.log(`${page}: ${problems.length === 0 ? 'good' : 'not good'}`);
process.exitCode = problems.length === 0 ? 0 : 1;
