import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface GuardScene {
  /** A workspace and a folder beside it, in none of the roots. */
  readonly workspace: string;
  readonly outside: string;
}

/** Makes a workspace for a bench of the path guard, and removes it when the work is done. */
export async function withScene<Result>(work: (scene: GuardScene) => Promise<Result>): Promise<Result> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'guard-bench-')));
  const scene = { workspace: join(base, 'ws'), outside: join(base, 'outside') };
  try {
    for (const folder of Object.values(scene)) mkdirSync(folder);
    return await work(scene);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

/** The middle one; they are sorted in place. */
export function medianOf(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
