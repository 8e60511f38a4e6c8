import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { specializations } from '@switchyard/protocol';
import type { AnalysisFile, AnalysisRequest, BaseTree } from '@switchyard/analyzers';
import { plainRun } from './plain-run.ts';

const whole: AnalysisFile['lines'] = [[1, 1_000_000]];

/** A folder of files for one test, and the requests that review it. */
export class MadeTree {
  readonly root = mkdtempSync(join(tmpdir(), 'analyze-'));

  /** Writes a file that counts as added, every line of it changed, unless told. */
  put(path: string, text: string | Uint8Array, about: Partial<AnalysisFile> = {}): AnalysisFile {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
    return { path, change: 'added', lines: whole, binary: false, ...about };
  }

  request(files: readonly AnalysisFile[], more: Partial<AnalysisRequest> = {}): AnalysisRequest {
    return {
      root: this.root,
      files,
      specializations,
      run: plainRun,
      signal: new AbortController().signal,
      ...more,
    };
  }

  close(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** A tree before the change, from texts by path. */
export function baseOf(texts: Readonly<Record<string, string>>): BaseTree {
  return { read: (path) => Promise.resolve(Object.hasOwn(texts, path) ? texts[path] : undefined) };
}
