/** Limits of everything this package asks of git. Bytes, counts and milliseconds as the name says. */
export const gitLimits = {
  /** One git command that is not told otherwise. */
  timeoutMs: 120_000,
  /** Copying objects, fetching, pushing, checking out: they grow with the repository. */
  longTimeoutMs: 15 * 60_000,
  /** A look at whether everything is there, for a person who waits. */
  inspectMs: 10_000,
  /** Git on files that an attempt may be changing: it could be made to wait for ever. */
  liveTimeoutMs: 60_000,
  /** Files that one snapshot leaves out since they turn into something else as git comes to them. */
  liveMoving: 20,
  outputBytes: 64 * 1024 * 1024,
  stderrBytes: 64 * 1024,
  /** The patch of one change, when its lines are counted. */
  patchBytes: 128 * 1024 * 1024,
  /** The text of a diff for people and models; cut with a note. */
  diffBytes: 4 * 1024 * 1024,
  /** One file an attempt may commit. */
  fileBytes: 64 * 1024 * 1024,
  /** One file that is merged line by line; larger ones conflict. */
  mergeBytes: 16 * 1024 * 1024,
  /** Paths one attempt may change. */
  changedFiles: 50_000,
  /** All untracked files of a plan's `include` together. */
  includeBytes: 256 * 1024 * 1024,
  includeFiles: 10_000,
  /** One side of a conflict, as it is told. */
  conflictTextBytes: 8 * 1024,
  /** Commits of history that an attempt's throwaway repository holds. */
  attemptHistory: 500,
  /** A request to fetch, inflated. */
  fetchRequestBytes: 64 * 1024 * 1024,
  /** The commands before the pack of a push. */
  pushCommandBytes: 64 * 1024,
  pushCommands: 16,
  /** The pack of a push. */
  pushBytes: 1024 * 1024 * 1024,
  /** No byte in either direction for so long ends a request over HTTP. */
  httpIdleMs: 5 * 60_000,
} as const;
