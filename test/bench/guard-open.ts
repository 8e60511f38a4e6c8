import { closeSync, fstatSync, mkdirSync, openSync, readSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openPathGuard } from '@switchyard/guard';
import type { BenchSize } from './bench-size.ts';
import { medianOf, withScene } from './guard-scene.ts';

/** Microseconds, the median of each way to read a small file at a depth of 4. */
export interface OpenFigures {
  /** Opened by its name. */
  readonly plain: number;
  /** Its real path compared with the workspace's, then opened: what guards without a race-free way do. */
  readonly realpath: number;
  readonly guard: number;
}

/** The three ways by turns, so that all see the same machine. */
export function runGuardOpen(opens: number): Promise<OpenFigures> {
  return withScene(async ({ workspace }) => {
    const name = 'a/b/c/d/file.ts';
    const path = join(workspace, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'x'.repeat(100));
    const guard = openPathGuard({ roots: [{ path: workspace, write: true }] });
    const times = { plain: [] as number[], realpath: [] as number[], guard: [] as number[] };
    const ways = {
      plain: () => readByName(path),
      realpath: () => readByRealPath(workspace, path),
      guard: () => guard.readFile(name),
    };
    try {
      for (let round = 0; round < opens; round += 1)
        for (const way of ['plain', 'realpath', 'guard'] as const) {
          const startedAt = performance.now();
          await ways[way]();
          times[way].push((performance.now() - startedAt) * 1000);
        }
    } finally {
      guard.close();
    }
    return { plain: medianOf(times.plain), realpath: medianOf(times.realpath), guard: medianOf(times.guard) };
  });
}

function readByName(path: string): Promise<Uint8Array> {
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const content = Buffer.allocUnsafe(size + 1);
    return Promise.resolve(content.subarray(0, readSync(descriptor, content, 0, size + 1, null)));
  } finally {
    closeSync(descriptor);
  }
}

function readByRealPath(workspace: string, path: string): Promise<Uint8Array> {
  const real = realpathSync.native(path);
  if (!real.startsWith(`${workspace}/`)) throw new Error(`${real} is outside`);
  return readByName(real);
}

/** What the guard adds to the reading of a small file at a depth of 4, as the lines of a table. */
export async function compareGuardOpen({ opens }: BenchSize): Promise<readonly string[]> {
  await runGuardOpen(Math.ceil(opens / 10)); // compiled by then
  const { plain, realpath, guard } = await runGuardOpen(opens);
  const line = (name: string, us: number): string =>
    `${name}  ${us.toFixed(1)} us, over the name ${(us - plain).toFixed(1)} us`;
  return [
    line('by its name          ', plain),
    line('real path and prefix ', realpath),
    line('path guard           ', guard),
    `path guard over real path and prefix ${(guard / realpath).toFixed(2)} x`,
  ];
}
