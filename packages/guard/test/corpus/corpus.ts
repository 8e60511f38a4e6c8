import type { Corpus } from './case.ts';
import { commandCases } from './cases-commands.ts';
import { gitCases } from './cases-git.ts';
import { goodCases } from './cases-good-work.ts';
import { diffCases } from './cases-diffs.ts';
import { linkCases } from './cases-links.ts';
import { pathCases } from './cases-paths.ts';
import { policyCases } from './cases-policy.ts';
import { writeCases } from './cases-writes.ts';

/** All cases of the project's own. */
export const corpus: Corpus = {
  ...pathCases,
  ...linkCases,
  ...policyCases,
  ...writeCases,
  ...diffCases,
  ...gitCases,
  ...commandCases,
  ...goodCases,
};
