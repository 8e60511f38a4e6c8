import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '@switchyard/protocol';
import { z } from 'zod';
import { analyzerLimits } from './analyzer-limits.ts';
import type { AnalysisFile, AnalysisRequest, Engine, PlacedFinding } from './engine.ts';
import { categoryOf, overLimit, stoppedEngine, type LeftOut } from './left-out.ts';
import { oxlintRules } from './oxlint-rules.ts';
import { languageOf } from './path-kind.ts';
import { readSource } from './source-file.ts';

/** oxlint's JSON; only what we read. */
const report = z.object({
  diagnostics: z.array(
    z.object({
      message: z.string(),
      code: z.string().optional(),
      help: z.string().optional(),
      url: z.string().optional(),
      filename: z.string(),
      labels: z
        .array(z.object({ span: z.object({ line: z.number().int(), column: z.number().int() }) }))
        .default([]),
    }),
  ),
});
type Diagnostic = z.infer<typeof report>['diagnostics'][number];

const configFile = fileURLToPath(new URL('./config/oxlint.json', import.meta.url));
const require = createRequire(import.meta.url);

/** Folders that a sandboxed oxlint has to be able to read. */
export function oxlintReadPaths(): string[] {
  const program = dirname(require.resolve('oxlint/package.json'));
  // The binding of this platform is a package beside it.
  return [program, resolve(program, '..', '@oxlint'), dirname(configFile)];
}

/**
 * oxlint with a configuration of ours alone: not the repository's, no nested ones, no ignore files, no plugins,
 * all of which the change under review could edit.
 */
export function oxlintEngine(): Engine {
  return {
    name: 'oxlint',
    specializations: [...new Set([...oxlintRules.values()].map((rule) => rule.specialization))],
    async analyze(request) {
      const { files, notes } = await lintable(request);
      const found = [...notes];
      for (let at = 0; at < files.length; at += analyzerLimits.programBatchFiles)
        for (const one of await lint(request, files.slice(at, at + analyzerLimits.programBatchFiles)))
          found.push(one);
      return found;
    },
    praise(request, specialization) {
      const files = request.files.filter(wants).length;
      const rules = [...oxlintRules.values()].filter((rule) => rule.specialization === specialization);
      return files === 0 ? undefined : `oxlint: ${rules.length} rules, nothing in ${filesText(files)}`;
    },
    // Each call is a process of its own.
    close: () => Promise.resolve(),
  };
}

function filesText(count: number): string {
  return count === 1 ? '1 file' : `${count} files`;
}

function wants(file: AnalysisFile): boolean {
  return !file.binary && file.change !== 'deleted' && languageOf(file.path) !== undefined;
}

/** Text files under the size limit; links are left out, so that nothing outside is read. */
async function lintable(
  request: AnalysisRequest,
): Promise<{ files: AnalysisFile[]; notes: PlacedFinding[] }> {
  const files: AnalysisFile[] = [];
  const notes: PlacedFinding[] = [];
  for (const file of request.files.filter(wants)) {
    const source = await readSource(request.root, file.path);
    if (source.kind === 'text') files.push(file);
    if (source.kind === 'too-large')
      notes.push(overLimit(about(request, file), `it has ${source.bytes} bytes`));
  }
  return { files, notes };
}

function about(request: AnalysisRequest, file: AnalysisFile): LeftOut {
  return { file, specializations: request.specializations, engine: 'oxlint' };
}

/** Lints a batch; where that breaks, halves it until the file is found that breaks it, and leaves that out. */
async function lint(request: AnalysisRequest, files: readonly AnalysisFile[]): Promise<PlacedFinding[]> {
  request.signal.throwIfAborted();
  const first = files[0];
  if (first === undefined) return [];
  const output = await request.run(argvFor(request.root, files), request.root, {
    timeoutMs: analyzerLimits.programTimeMs,
  });
  const diagnostics = readReport(output.stdout);
  if (diagnostics !== undefined)
    return diagnostics.flatMap((diagnostic) => findingOf(diagnostic, request, files) ?? []);
  if (files.length === 1) {
    const probe = await request.run([...program(), '--version'], request.root, {
      timeoutMs: analyzerLimits.programTimeMs,
    });
    if (probe.exitCode === 0)
      return [stoppedEngine(about(request, first), `it ended the engine (code ${output.exitCode})`)];
    throw new AppError(
      'E_EXECUTOR',
      `oxlint does not run here (code ${probe.exitCode}): ${(probe.stderr || probe.stdout).trim().slice(-1000)}`,
    );
  }
  const middle = files.length >> 1;
  return [...(await lint(request, files.slice(0, middle))), ...(await lint(request, files.slice(middle)))];
}

function program(): string[] {
  return [process.execPath, join(dirname(require.resolve('oxlint/package.json')), 'bin', 'oxlint')];
}

function argvFor(root: string, files: readonly AnalysisFile[]): string[] {
  const options = ['--config', configFile, '--disable-nested-config', '--no-ignore', '--threads=2'];
  return [...program(), ...options, '--format', 'json', '--', ...files.map((file) => join(root, file.path))];
}

function readReport(stdout: string): Diagnostic[] | undefined {
  let json: unknown;
  try {
    json = JSON.parse(stdout);
  } catch {
    // Cut off or empty: the caller takes that for a broken run.
    return undefined;
  }
  const parsed = report.safeParse(json);
  return parsed.success ? parsed.data.diagnostics : undefined;
}

function findingOf(
  diagnostic: Diagnostic,
  request: AnalysisRequest,
  files: readonly AnalysisFile[],
): PlacedFinding | undefined {
  const path = relative(request.root, resolve(request.root, diagnostic.filename));
  const file = files.find((candidate) => candidate.path === path);
  if (file === undefined) return undefined;
  const span = diagnostic.labels[0]?.span;
  const place = {
    file: path,
    ...(span && { line: Math.max(1, span.line), column: Math.max(1, span.column) }),
  };
  if (diagnostic.code === undefined)
    return { ...syntaxError(diagnostic), category: categoryOf(request.specializations), ...place };
  const rule = oxlintRules.get(diagnostic.code);
  if (rule === undefined || !request.specializations.includes(rule.specialization)) return undefined;
  return {
    severity: rule.severity,
    category: rule.specialization,
    ...place,
    description: diagnostic.message.slice(0, 4000),
    ...(diagnostic.help !== undefined && {
      suggestion: `${diagnostic.help.slice(0, 3990).replace(/\.$/, '')}.`,
    }),
    references: diagnostic.url === undefined ? [] : [diagnostic.url],
    rule: `oxlint/${diagnostic.code}`,
  };
}

/** A file that does not parse is broken for every reviewer. */
function syntaxError(diagnostic: Diagnostic): Omit<PlacedFinding, 'category'> {
  return {
    severity: 'major',
    description: `The file does not parse: ${diagnostic.message}`.slice(0, 4000),
    suggestion: (diagnostic.help ?? 'Mend the syntax.').slice(0, 4000),
    references: [],
    rule: 'oxlint/syntax',
  };
}
