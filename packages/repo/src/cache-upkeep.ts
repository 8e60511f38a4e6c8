import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import { gitLimits } from './git-limits.ts';
import type { Git } from './git-runner.ts';

/** Each transfer and each attempt leaves a pack; git looks into all of them for every object. */
const packsMax = 60;
/** The newest by the dates of the commits; what is older is fetched again if it is asked for. */
const keptMax = 500;

/**
 * Lets go of old commits of a cache and packs the rest into one, when there is much. Called before the cache is
 * used, so nobody needs what goes; a failure leaves the cache as it was, only larger.
 */
export async function tidyCache(git: Git, gitDir: string, logger: Logger): Promise<void> {
  const packs = readdirSync(join(gitDir, 'objects/pack')).filter((name) => name.endsWith('.pack'));
  if (packs.length <= packsMax) return;
  try {
    const format = '--format=delete %(refname)';
    const listed = await git.line(['for-each-ref', '--sort=-committerdate', format, 'refs/switchyard/kept']);
    const old = listed.split('\n').slice(keptMax);
    if (old.length > 0) await git.run(['update-ref', '--stdin'], { stdin: `${old.join('\n')}\n` });
    await git.run(['gc', '-q', '--prune=1.day.ago'], { timeoutMs: gitLimits.longTimeoutMs });
    logger.info({ packs: packs.length, dropped: old.length }, 'object cache packed');
  } catch (error) {
    logger.warn({ err: error, reason: messageOf(error) }, 'the object cache could not be packed');
  }
}
