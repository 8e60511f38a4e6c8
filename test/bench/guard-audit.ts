import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findAttemptViolations, takeSnapshot } from '@switchyard/guard';
import type { BenchSize } from './bench-size.ts';
import { withScene } from './guard-scene.ts';

/** Milliseconds, sorted. */
export interface AuditFigures {
  readonly files: number;
  /** GNU find alone, which asks for each file and says nothing. */
  readonly find: readonly number[];
  /** The snapshot before an attempt. */
  readonly start: readonly number[];
  /** The snapshot behind it, compared with the first and judged. */
  readonly end: readonly number[];
  /** Violations found: the one file that was changed outside the workspace. */
  readonly found: number;
}

const filesInFolder = 50;
/** Between two snapshots an attempt does its work: what one of them leaves to be done behind it is done by then. */
const restMs = 100;

export function runGuardAudit(files: number, rounds: number): Promise<AuditFigures> {
  return withScene(async ({ workspace }) => {
    for (let index = 0; index < files; index += 1) {
      const folder = join(workspace, 'src', `folder${Math.floor(index / filesInFolder)}`);
      if (index % filesInFolder === 0) mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `file${index}.ts`), 'text');
    }
    const [find, start, end] = [[] as number[], [] as number[], [] as number[]];
    let found = 0;
    for (let round = 0; round < rounds; round += 1) {
      await timed(find, () => spawnSync('/usr/bin/find', [workspace, '-size', '+100000'], { env: {} }));
      const before = await timed(start, () => takeSnapshot(workspace));
      writeFileSync(join(workspace, 'src/folder0/file0.ts'), `round ${round}`);
      await timed(end, async () => {
        const after = await takeSnapshot(workspace, { since: before });
        found = findAttemptViolations(before, after, { workspace: ['docs'] }).length;
      });
    }
    for (const list of [find, start, end]) list.sort((a, b) => a - b);
    return { files, find, start, end, found };
  });
}

async function timed<Answer>(into: number[], work: () => Answer | Promise<Answer>): Promise<Answer> {
  await pause(restMs);
  const startedAt = performance.now();
  const answer = await work();
  into.push(performance.now() - startedAt);
  return answer;
}

/** What the audit of an attempt costs, as the lines of a table. */
export async function measureGuardAudit({ auditFiles, rounds }: BenchSize): Promise<readonly string[]> {
  const { files, find, start, end } = await runGuardAudit(auditFiles, 5 * rounds);
  const line = (what: string, list: readonly number[]): string => {
    const [least = Number.NaN, median = Number.NaN] = [list[0], list[list.length >> 1]];
    const each = [least, median].map((ms) => ((ms * 1000) / files).toFixed(2)).join(' / ');
    return `${what}  least / median ${least.toFixed(1)} / ${median.toFixed(1)} ms, ${each} ms per 1,000 files`;
  };
  return [
    `${files} files`,
    line('GNU find alone, nothing told', find),
    line('snapshot at the start       ', start),
    line('audit at the end            ', end),
  ];
}
