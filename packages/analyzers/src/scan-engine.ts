import { AppError, type Specialization } from '@switchyard/protocol';
import { analyzerLimits } from './analyzer-limits.ts';
import type { AnalysisFile, AnalysisRequest, Engine, PlacedFinding } from './engine.ts';
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
      const found: PlacedFinding[] = [];
      for (const file of request.files.filter(options.wants))
        found.push(...(await scanFile(scanner, { file, request, options })));
      return found;
    },
    praise(request) {
      const files = request.files.filter(options.wants).length;
      return files === 0 ? undefined : options.praise(files, request.specialization);
    },
    close: () => scanner.close(),
  };
}

async function scanFile(
  scanner: Scanner,
  about: {
    readonly file: AnalysisFile;
    readonly request: AnalysisRequest;
    readonly options: ScanEngineOptions;
  },
): Promise<PlacedFinding[]> {
  const { file, request, options } = about;
  const { root, specialization } = request;
  const outcome = await scanner.scan(
    { scan: options.scan, specialization, root, path: file.path },
    request.signal,
  );
  switch (outcome.kind) {
    case 'found':
      return outcome.findings;
    case 'skipped':
      return [leftOut({ file, specialization, engine: options.name }, outcome.reason)];
    case 'timed-out':
      return [
        leftOut(
          { file, specialization, engine: options.name },
          `it took longer than ${analyzerLimits.fileTimeMs / 1000} s`,
        ),
      ];
    case 'crashed':
      return [
        leftOut({ file, specialization, engine: options.name }, `it ended the engine (${outcome.exit})`),
      ];
    case 'broken':
      throw new AppError(
        'E_INTERNAL',
        `the engine ${options.name} broke on ${file.path}: ${outcome.message}`,
      );
  }
}

/** The finding that says that a file was not looked at, and why. */
export function leftOut(
  about: { readonly file: AnalysisFile; readonly specialization: Specialization; readonly engine: string },
  reason: string,
): PlacedFinding {
  return {
    severity: 'info',
    category: about.specialization,
    file: about.file.path,
    description: `${about.engine} did not look at this file: ${reason}.`.slice(0, 4000),
    suggestion: 'Have a person look at it, or split it.',
    references: [],
    rule: `${about.engine}/left-out`,
  };
}
