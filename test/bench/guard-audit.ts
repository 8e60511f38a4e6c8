import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findAttemptViolations, takeSnapshot } from '@switchyard/guard';
import type { BenchSize } from './bench-size.ts';
import { medianOf, withScene } from './guard-scene.ts';

/** Milliseconds, medians: a snapshot of a tree, and what two of them are judged to be. */
export interface AuditFigures {
  readonly files: number;
  readonly snapshotMs: number;
  readonly judgeMs: number;
  /** Violations found: the one file that was changed outside the workspace. */
  readonly found: number;
}

const filesInFolder = 50;

export function runGuardAudit(files: number, rounds: number): Promise<AuditFigures> {
  return withScene(async ({ workspace }) => {
    for (let index = 0; index < files; index += 1) {
      const folder = join(workspace, 'src', `folder${Math.floor(index / filesInFolder)}`);
      if (index % filesInFolder === 0) mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `file${index}.ts`), 'text');
    }
    const snapshots: number[] = [];
    const judgements: number[] = [];
    let found = 0;
    for (let round = 0; round < rounds; round += 1) {
      const before = await takeSnapshot(workspace);
      writeFileSync(join(workspace, 'src/folder0/file0.ts'), `round ${round}`);
      const startedAt = performance.now();
      const after = await takeSnapshot(workspace, { since: before });
      const takenAt = performance.now();
      found = findAttemptViolations(before, after, { workspace: ['docs'] }).length;
      snapshots.push(takenAt - startedAt);
      judgements.push(performance.now() - takenAt);
    }
    return { files, snapshotMs: medianOf(snapshots), judgeMs: medianOf(judgements), found };
  });
}

/** What the audit at the end of an attempt costs, as the lines of a table. */
export async function measureGuardAudit({ auditFiles, rounds }: BenchSize): Promise<readonly string[]> {
  const { files, snapshotMs, judgeMs } = await runGuardAudit(auditFiles, 5 * rounds);
  const thousand = (ms: number): string => `${((ms * 1000) / files).toFixed(2)} ms per 1,000 files`;
  return [
    `snapshot of ${files} files  ${snapshotMs.toFixed(1)} ms, ${thousand(snapshotMs)}`,
    `comparing and judging  ${judgeMs.toFixed(1)} ms, ${thousand(judgeMs)}`,
    `audit at the end  ${(snapshotMs + judgeMs).toFixed(1)} ms, ${thousand(snapshotMs + judgeMs)}`,
    `with the snapshot at the start  ${(2 * snapshotMs + judgeMs).toFixed(1)} ms, ${thousand(2 * snapshotMs + judgeMs)}`,
  ];
}
