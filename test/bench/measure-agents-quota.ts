import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/**
 * 24 real agent programs as the attempts of one run, under one quota of 60 requests a minute: the lines of a table. Takes
 * about nine minutes, and installs the agents where they are not there yet.
 */
export async function measureAgentsQuota(): Promise<readonly string[]> {
  // The bench is compiled into a folder of its own; the agents and the program are found from the sources.
  const root = join(dirname(process.argv[1] ?? ''), '..', '..');
  const words = ['--import', 'tsx', join(root, 'test/agents/measure-fleet-under-quota.ts')];
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: root });
  return stdout.trimEnd().split('\n');
}
