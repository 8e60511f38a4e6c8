import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findAttemptViolations, takeSnapshot } from '@switchyard/guard';
import type { BenchSize } from './bench-size.ts';
import { medianOf, withScene } from './guard-scene.ts';

/** Milliseconds, medians: a snapshot of a tree before and after, and what the two are judged to be. */
export interface AuditFigures {
  readonly files: number;
  readonly startMs: number;
  readonly endMs: number;
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
    const starts: number[] = [];
    const ends: number[] = [];
    const judgements: number[] = [];
    let found = 0;
    for (let round = 0; round < rounds; round += 1) {
      const begunAt = performance.now();
      const before = await takeSnapshot(workspace);
      starts.push(performance.now() - begunAt);
      writeFileSync(join(workspace, 'src/folder0/file0.ts'), `round ${round}`);
      const startedAt = performance.now();
      const after = await takeSnapshot(workspace, { since: before });
      const takenAt = performance.now();
      found = findAttemptViolations(before, after, { workspace: ['docs'] }).length;
      ends.push(takenAt - startedAt);
      judgements.push(performance.now() - takenAt);
    }
    const [startMs, endMs, judgeMs] = [medianOf(starts), medianOf(ends), medianOf(judgements)];
    return { files, startMs, endMs, judgeMs, found };
  });
}

/** What the audit of an attempt costs, as the lines of a table. */
export async function measureGuardAudit({ auditFiles, rounds }: BenchSize): Promise<readonly string[]> {
  const { files, startMs, endMs, judgeMs } = await runGuardAudit(auditFiles, 5 * rounds);
  const line = (what: string, ms: number): string =>
    `${what}  ${ms.toFixed(1)} ms, ${((ms * 1000) / files).toFixed(2)} ms per 1,000 files`;
  return [
    line(`snapshot of ${files} files at the start`, startMs),
    line('snapshot at the end', endMs),
    line('comparing and judging', judgeMs),
    line('audit at the end', endMs + judgeMs),
    line('with the snapshot at the start', startMs + endMs + judgeMs),
  ];
}
