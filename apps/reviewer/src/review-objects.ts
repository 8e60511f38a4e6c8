import type { ObjectCache } from '@switchyard/repo';

/** What a review needs of the object cache. */
export type ReviewObjects = Pick<ObjectCache, 'fetch' | 'checkout' | 'changedLines' | 'readFile' | 'diff'>;
