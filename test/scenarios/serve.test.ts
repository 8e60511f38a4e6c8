import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shellWord } from '@switchyard/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { Scenario, until } from './harness.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const scenarios: Scenario[] = [];
afterEach(async () => {
  await Promise.all(scenarios.splice(0).map((made) => made.close()));
});

/** A copy of this work space with a history of its own, so that its daemons serve nothing of ours. */
function workSpace(): Scenario {
  const made = new Scenario({}, { commit: false });
  scenarios.push(made);
  const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const name of tracked.split('\0').filter((path) => path !== '' && existsSync(join(root, path)))) {
    mkdirSync(join(made.repository, name, '..'), { recursive: true });
    cpSync(join(root, name), join(made.repository, name), { verbatimSymlinks: true });
  }
  symlinkSync(join(root, 'node_modules'), join(made.repository, 'node_modules'));
  made.commit('a copy');
  return made;
}

describe('nx run-many -t serve', () => {
  // On a terminal, nx would give it to one of them, and ctrl-C with it.
  it('starts the three daemons on a terminal, which carry a plan out; one ctrl-C ends all', async () => {
    const made = workSpace();
    const nx = join(root, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');
    const words = [process.execPath, nx, 'run-many', '-t', 'serve'].map(shellWord).join(' ');
    const serve = made.start('script', ['-qec', words, '/dev/null'], { NX_DAEMON: 'false' }, 'pipe');
    await made.orchestrator();
    await until('a worker and a reviewer', async () => {
      const { httpUrl } = await made.orchestrator();
      const response = await fetch(`${httpUrl}/readyz`).catch(() => undefined);
      const health = (await response?.json()) as { workers: number; reviewers: number } | undefined;
      return health !== undefined && health.workers > 0 && health.reviewers > 0 ? health : undefined;
    });
    const run = await made.cli('run', 'tools/examples/hello/plan.yaml').ended;
    expect(run.code, run.stdout + run.stderr).toBe(0);
    serve.child.stdin?.write('\u0003');
    await serve.ended;
    await until('the end of every daemon', () => (made.leftovers().length === 0 ? true : undefined));
  });
});
