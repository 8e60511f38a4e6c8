import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take longest, in the order to begin them. A fresh clone has no memory of how long a file takes, and one
 * of minutes that begins last leaves the other cores idle.
 */
const long = [
  'test/chaos/',
  'test/scenarios/',
  'packages/guard/test/corpus',
  'apps/',
  'test/',
  'packages/repo/',
  'packages/guard/',
];

/** Begins the longest files first, where nothing is remembered of earlier runs. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const path = moduleId.slice(this.ctx.config.root.length + 1);
      const at = long.findIndex((prefix) => path.startsWith(prefix));
      return at < 0 ? long.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
