import { join } from 'node:path';
import {
  analyze,
  baseTreeOf,
  listTree,
  sandboxedRun,
  wholeFiles,
  type Analysis,
  type AnalysisRequest,
} from '@switchyard/analyzers';
import { AppError, isAppError, type Finding, type ReviewAssignment } from '@switchyard/protocol';
import { backoffMs, makeFolder, removeTree, sleep, type Logger } from '@switchyard/runtime';
import type { ReviewPorts } from './ports.ts';

/** A fetch is repeated this often while the orchestrator restarts. */
const fetchTriesMax = 8;
const fetchBackoff = { minMs: 100, maxMs: 3_000 };

/**
 * Looks at exactly the commit of an assignment, in a checkout of its own that is gone afterwards. Throws AppError
 * when objects or engines are not to be had, and the signal's reason when it is aborted.
 */
export async function reviewCommit(
  assignment: ReviewAssignment,
  ports: ReviewPorts,
  about: { readonly signal: AbortSignal; readonly logger: Logger },
): Promise<Analysis> {
  const { signal } = about;
  const { commit, specialization } = assignment;
  const folder = join(ports.checkouts, assignment.reviewId);
  const checkout = join(folder, 'tree');
  try {
    const objects = await fetchCommits(assignment, ports, about);
    await makeFolder(folder, 0o700);
    await objects.checkout(commit, checkout);
    signal.throwIfAborted();
    const { missing, ...under } = await underReview(assignment, checkout, objects);
    signal.throwIfAborted();
    const { sandbox, engineReadPaths, modelReviewer } = ports;
    const ofModel = modelReviewer?.engine({ ...about, assignment, checkout, objects });
    const analysis = await analyze([...ports.engines, ...(ofModel === undefined ? [] : [ofModel])], {
      root: checkout,
      ...under,
      specializations: [specialization],
      run: sandboxedRun(sandbox, { root: checkout, readPaths: engineReadPaths, signal }),
      signal,
    });
    return {
      ...analysis,
      findings: [...analysis.findings, ...missing.map((path) => notThere(path, assignment))],
    };
  } finally {
    await removeTree(folder);
  }
}

interface UnderReview extends Pick<AnalysisRequest, 'files' | 'base' | 'policy' | 'all'> {
  /** What the assignment names and the commit has not. */
  readonly missing: readonly string[];
}

/** What has changed since the base, or the files that the assignment names, as they stand; the policy is the base's. */
async function underReview(
  { commit, base, reads }: ReviewAssignment,
  checkout: string,
  objects: Awaited<ReturnType<ReviewPorts['objects']>>,
): Promise<UnderReview> {
  const before = baseTreeOf((path) => objects.readFile(base, path));
  if (reads === undefined)
    return { files: await objects.changedLines(base, commit), base: before, missing: [] };
  const named = (await listTree(checkout)).filter((path) => reads.some((one) => isIn(one, path)));
  if (named.length === 0)
    throw new AppError('E_NOT_FOUND', `nothing of ${reads.join(', ')} is in commit ${commit}`);
  const missing = reads.filter((one) => !named.some((path) => isIn(one, path)));
  return { files: wholeFiles(named), policy: before, all: true, missing };
}

function notThere(path: string, { specialization }: ReviewAssignment): Finding {
  return {
    severity: 'info',
    category: specialization,
    description: `${path} is to be reviewed, and is not there.`,
    suggestion: 'Mend the path in the plan, or take it out.',
    references: [],
  };
}

function isIn(named: string, path: string): boolean {
  return named === '.' || path === named || path.startsWith(`${named}/`);
}

async function fetchCommits(
  { commit, base }: ReviewAssignment,
  ports: ReviewPorts,
  { signal, logger }: { readonly signal: AbortSignal; readonly logger: Logger },
): ReturnType<ReviewPorts['objects']> {
  for (let tries = 0; ; tries += 1) {
    signal.throwIfAborted();
    try {
      const objects = await ports.objects();
      await objects.fetch([base, commit]);
      return objects;
    } catch (error) {
      if (!isAppError(error) || error.next === 'never' || tries + 1 >= fetchTriesMax) throw error;
      logger.warn({ err: error, tries }, 'the commit cannot be fetched yet');
      await sleep(ports.clock, backoffMs(tries, fetchBackoff, ports.random), signal);
    }
  }
}
