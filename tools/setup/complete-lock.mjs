// Completes package-lock.json: adds the entries of optional platform packages (`…-darwin-arm64` and the like)
// that `npm install` left out because the registry it asked does not carry them. Without these entries `npm ci`
// refuses the lock as out of step on every machine. Run it after each `npm install`:
//   node tools/setup/complete-lock.mjs [FOLDER]
// An added entry has no integrity, because nobody could compute it; npm skips such a package on other platforms.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { missingOptionals } from './lock-entries.mjs';

const file = join(resolve(process.argv[2] ?? '.'), 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
const missing = missingOptionals(lock);
for (const { path, entry } of missing) lock.packages[path] = entry;
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')),
);
if (missing.length > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${missing.length} entries added`);
