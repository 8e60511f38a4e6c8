import { AppError, type Specialization } from '@switchyard/protocol';
import type { AnalysisFile, Engine, PlacedFinding } from './engine.ts';
import { overLimit, stoppedEngine, type LeftOut } from './left-out.ts';
import type { ScanOutcome } from './scan-child.ts';
import type { Scanner } from './scanner.ts';
import type { ScanJob } from './scan-protocol.ts';

/** What tells the engines of the scan process apart. */
export interface ScanEngineOptions {
  readonly name: string;
  readonly scan: ScanJob['scan'];
  readonly specializations: readonly Specialization[];
  readonly wants: (file: AnalysisFile) => boolean;
  readonly praise: (files: number, specialization: Specialization) => string;
}

/** An engine whose work is done file by file in the scan process. */
export function scanEngine(scanner: Scanner, options: ScanEngineOptions): Engine {
  return {
    name: options.name,
    specializations: options.specializations,
    async analyze(request) {
      const files = request.files.filter(options.wants);
      const found: PlacedFinding[] = [];
      const broken: string[] = [];
      for (const file of files) {
        const { root, specializations } = request;
        const asked = { scan: options.scan, specializations: [...specializations] };
        const job = { ...asked, root, path: file.path, deep: request.deep === true };
        const outcome = await scanner.scan(job, request.signal);
        if (outcome.kind === 'broken') broken.push(`${file.path}: ${outcome.message}`);
        for (const one of findingsOf(outcome, { file, specializations, engine: options.name }))
          found.push(one);
        request.onFile?.(options.name, file.path);
      }
      // One file may be hostile; when all fail, it is the engine.
      if (broken.length > 0 && broken.length === files.length)
        throw new AppError('E_INTERNAL', `the engine ${options.name} broke on ${broken[0] ?? ''}`);
      return found;
    },
    praise(request, specialization) {
      const files = request.files.filter(options.wants).length;
      return files === 0 ? undefined : options.praise(files, specialization);
    },
    close: () => scanner.close(),
  };
}

function findingsOf(outcome: ScanOutcome, about: LeftOut): PlacedFinding[] {
  switch (outcome.kind) {
    case 'found':
      return outcome.findings;
    case 'facts':
      return [];
    case 'skipped':
      return [overLimit(about, outcome.reason)];
    case 'timed-out':
      return [stoppedEngine(about, 'it took too long')];
    case 'crashed':
      return [stoppedEngine(about, `it ended the engine (${outcome.exit})`)];
    case 'broken':
      return [stoppedEngine(about, `the engine broke on it (${outcome.message})`)];
  }
}
