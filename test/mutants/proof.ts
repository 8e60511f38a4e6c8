import type { Mutant } from './mutant.ts';

const file = 'packages/guard/src/lexical.ts';
const tests = ['packages/guard/test/names.test.ts'];

/** What the runner itself is tested with: a change that no test can see, one that does not load, one that is noticed. */
export const proof: readonly Mutant[] = [
  {
    name: 'streams of files are fine',
    file,
    search: "if (name.includes(':')) return 'A stream of a file';",
    replacement: '',
    tests,
  },
  {
    name: 'other words in a comment',
    file,
    search: 'Characters that are not seen',
    replacement: 'Signs that are not seen',
    tests,
  },
  {
    name: 'no program at all',
    file,
    search: 'const pathBytesMax = 4095;',
    replacement: 'const pathBytesMax = = 4095;',
    tests,
  },
  {
    name: 'a name that is nowhere',
    file,
    search: 'const pathBytesMax = 4095;',
    replacement: 'const pathBytesMax = nowhere;',
    tests,
  },
  {
    name: 'nobody loads it',
    file: 'packages/guard/src/forwarder.ts',
    search: "'/run/switchyard'",
    replacement: "'/run/elsewhere'",
    tests: ['packages/protocol/test/tables.test.ts'],
  },
];
