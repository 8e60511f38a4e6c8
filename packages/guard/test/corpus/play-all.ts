/**
 * Plays the corpus as whoever runs this, and prints one line for each case that failed, then how many passed. With
 * words: only the cases whose category or title has one of them.
 */
import { corpus } from './corpus.ts';
import { play } from './play.ts';

const words = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const [category, rows] of Object.entries(corpus))
  for (const row of rows) {
    const name = `${category} > ${row.title}`;
    if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
    const reasons = await play(row).catch((error: unknown) => [`could not be played: ${String(error)}`]);
    if (reasons.length === 0) passed += 1;
    else failed += 1;
    if (reasons.length > 0) process.stdout.write(`FAILED ${name}: ${reasons.join('; ')}\n`);
  }
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
