import type { Mutant } from './mutant.ts';

const source = 'packages/guard/src';
const tests = ['packages/guard/test/ready-sandboxes.test.ts'];

/** The defences around sandboxes that wait for their command. */
export const guardReady: readonly Mutant[] = [
  ...[
    ['whatever its limits', '{ ...defaultLimits, ...limits, outputBytes: 0 }', '{}'],
    ['whatever is mounted in it', 'mounts.map(identityOf)', '0'],
    ['of a folder that is gone', '`${dev}:${ino}`', "''"],
    [
      'by whoever has variables of the shell',
      '!canBeTold({ argv, env })',
      '(canBeTold({ argv, env }), false)',
    ],
    ['whose mounts went away', 'isRunning(child) && mountTableOf(status) === mountTable', 'isRunning(child)'],
    ['whose mounts went away while it was made', ' || !holdsAll(mountTable, pinned.mounts)', ''],
    ['that somebody killed', 'isRunning(child) && mountTableOf(status) === mountTable', 'true'],
  ].map(([whose = '', search = '', replacement = '']): Mutant => ({
    name: `a sandbox that waits is taken ${whose}`,
    file: `${source}/ready-sandbox.ts`,
    search,
    replacement,
    tests,
  })),
  {
    name: 'a sandbox that waits has no limits',
    file: `${source}/bubblewrap-start.ts`,
    search: '...limitedCommand(request, isGate ? asIs : streams, parts.limits, doors),',
    replacement: '...(isGate ? request.argv : limitedCommand(request, streams, parts.limits, doors)),',
    tests,
  },
  {
    name: 'a sandbox that waits is in no control group',
    file: `${source}/ready-sandboxes.ts`,
    search: 'const group = makeGroup(request);',
    replacement: 'const group = undefined as ReturnType<typeof makeGroup>;',
    tests,
  },
  {
    name: 'what a sandbox needs in the tree is made behind the last command',
    file: `${source}/ready-sandboxes.ts`,
    search: 'turns.take({ ...request, timeoutMs: 0 }, false)',
    replacement: 'turns.take({ ...request, timeoutMs: 0 })',
    tests,
  },
  {
    name: 'a sandbox waits on in a folder that is forgotten',
    file: `${source}/ready-sandboxes.ts`,
    search: 'await Promise.all(places.map(([place]) => this.#drop(place)));',
    replacement: 'await Promise.all(places);',
    tests,
  },
  {
    name: 'a sandbox is set up ahead while others could plant a link',
    file: `${source}/ready-sandboxes.ts`,
    search: 'const turn = await turns.take({ ...request, timeoutMs: 0 }, false);',
    replacement:
      "const { pinMounts } = await import('./pinned-mounts.ts');\nvoid turns;\n" +
      'const turn = { pinned: pinMounts(request.mounts), done: () => undefined };',
    tests,
  },
];
