import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
  it('starts the three daemons, which carry a plan out; ctrl-C ends all within 5 s', async () => {
    const made = workSpace();
    const nx = join(root, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');
    const serve = made.start(process.execPath, [nx, 'run-many', '-t', 'serve'], {
      NX_DAEMON: 'false',
      CI: 'true',
    });
    await made.orchestrator();
    await until('a worker and a reviewer', async () => {
      const { httpUrl } = await made.orchestrator();
      const response = await fetch(`${httpUrl}/readyz`).catch(() => undefined);
      const health = (await response?.json()) as { workers: number; reviewers: number } | undefined;
      return health !== undefined && health.workers > 0 && health.reviewers > 0 ? health : undefined;
    });
    const run = await made.cli('run', 'tools/examples/hello/plan.yaml').ended;
    expect(run.code, run.stdout + run.stderr).toBe(0);
    serve.child.kill('SIGINT');
    await serve.ended;
    await until('the end of every daemon', () => (made.leftovers().length === 0 ? true : undefined));
  });
});
