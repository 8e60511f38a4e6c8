import { makeFolder, removeTree } from '@switchyard/runtime';
import type { ReviewerPorts, ReviewPorts } from './ports.ts';
import { reviewCommit } from './review.ts';

/** Fits a reviewer that looks at commits on this machine. */
export function onThisMachine(ports: ReviewPorts & Omit<ReviewerPorts, 'room' | 'models'>): ReviewerPorts {
  return {
    ...ports,
    ...(ports.modelReviewer !== undefined && { models: ports.modelReviewer.talk }),
    room: {
      async clear() {
        // A reviewer that was killed leaves checkouts.
        await removeTree(ports.checkouts);
        await makeFolder(ports.checkouts, 0o700);
      },
      review: (assignment, about) => reviewCommit(assignment, ports, about),
    },
  };
}
