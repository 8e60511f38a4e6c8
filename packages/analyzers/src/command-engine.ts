import { AppError } from '@switchyard/protocol';
import { analyzerLimits } from './analyzer-limits.ts';
import type { AnalysisRequest, CommandOutput, Engine, PlacedFinding } from './engine.ts';
import { categoryOf } from './left-out.ts';
import type { CommandTool } from './policy/review-policy.ts';
import { changedRules, type ChangedRule } from './policy/tool-rules.ts';
import { treeByRules } from './policy/tree-by-rules.ts';
import { readSarif, type SarifFindings } from './sarif/read-sarif.ts';
import { readSource } from './source-file.ts';

/**
 * An engine of the repository's own: a command that prints SARIF, run where the other programs of a review run.
 * `whole`: the request with every file of the change.
 */
export function commandEngine(tool: CommandTool, whole: AnalysisRequest): Engine {
  return {
    name: tool.name,
    specializations: tool.specializations,
    async analyze(request) {
      if (!request.files.some((file) => file.change !== 'deleted')) return [];
      if (request.commands === 'refuse') return [refusal(tool, request)];
      const rules = await changedRules(tool, whole);
      const { findings, leftOut } = await withRules(tool, { request, rules });
      const wanted = findings.filter(({ category: named }) =>
        request.specializations.some((one) => one === named),
      );
      return [
        ...rules.map((rule) => ruleEdit(tool, request, rule)),
        ...wanted,
        ...(leftOut === 0 ? [] : [leftOutNote(tool, request, leftOut)]),
      ];
    },
    praise: (request) => (request.commands === 'refuse' ? undefined : `${tool.name}: nothing`),
    // Each call is a process of its own.
    close: () => Promise.resolve(),
  };
}

interface Ruled {
  readonly request: AnalysisRequest;
  readonly rules: readonly ChangedRule[];
}

/** Runs the tool where its rules are those of before the change. */
async function withRules(tool: CommandTool, { request, rules }: Ruled): Promise<SarifFindings> {
  if (rules.length === 0) return runIn(tool, request, request.root);
  const copy = await treeByRules(request.root, rules, request.signal);
  try {
    return await runIn(tool, request, copy.root);
  } finally {
    await copy.close();
  }
}

async function runIn(tool: CommandTool, request: AnalysisRequest, root: string): Promise<SarifFindings> {
  const output = await request.run(['sh', '-c', tool.run], root, {
    timeoutMs: tool.timeoutMinutes * 60_000,
    ...(root !== request.root && { readPaths: [root] }),
  });
  const category = tool.specializations.find((one) => request.specializations.includes(one));
  const read = await readSarif(output.stdout, {
    engine: tool.name,
    root,
    category: category ?? categoryOf(request.specializations),
    resultsMax: analyzerLimits.toolResults,
    linesOf: lineCounter(request),
  });
  if (read === undefined) throw new AppError('E_EXECUTOR', failureText(tool, output));
  return read;
}

/** The tool went by the rules of before; that they are others from now on is for a person, and nobody can suppress it. */
function ruleEdit(tool: CommandTool, request: AnalysisRequest, rule: ChangedRule): PlacedFinding {
  const { path, change, isGuessed } = rule;
  const did = { added: 'adds', modified: 'edits', deleted: 'deletes' }[change];
  return {
    severity: isGuessed ? 'minor' : 'major',
    category: categoryOf(request.specializations),
    file: path,
    description:
      `The change ${did} ${path}, by which ${tool.name} ${isGuessed ? 'may judge' : 'judges'}. This review went by what was there before.`.slice(
        0,
        4000,
      ),
    suggestion:
      'Leave it as it was; who decides how changes are judged commits it apart from what is judged by it.',
    references: [],
    rule: 'policy/rules-edited',
  };
}

/** Lines of the files under review, each counted once; nothing else is looked at. */
function lineCounter({ files, root }: AnalysisRequest): (path: string) => Promise<number | undefined> {
  const present = new Set(files.filter((file) => file.change !== 'deleted').map((file) => file.path));
  const known = new Map<string, number>();
  return async (path) => {
    if (!present.has(path)) return undefined;
    const counted = known.get(path);
    if (counted !== undefined) return counted;
    const source = await readSource(root, path);
    const lines = source.kind === 'text' ? source.text.split('\n').length : 0;
    known.set(path, lines);
    return lines;
  };
}

function failureText(tool: CommandTool, output: CommandOutput): string {
  const printed = output.stdout.trim() === '' ? 'nothing' : 'no SARIF 2.1';
  const words = (output.stderr.trim() || output.stdout.trim()).slice(-1000);
  const end =
    output.reason === undefined ? `ended with code ${output.exitCode}` : `was ended (${output.reason})`;
  return `the engine ${tool.name} of the review policy ${end} and printed ${printed} to its standard output${words === '' ? '' : `: ${words}`}`;
}

function refusal(tool: CommandTool, request: AnalysisRequest): PlacedFinding {
  return {
    severity: 'info',
    category: categoryOf(request.specializations),
    description: `The engine ${tool.name} was not run: its command comes from the folder under review, and there is no sandbox.`,
    suggestion: 'Review on a machine with a sandbox; `switchyard doctor` says what is missing.',
    references: [],
    rule: `${tool.name}/left-out`,
  };
}

function leftOutNote(tool: CommandTool, request: AnalysisRequest, count: number): PlacedFinding {
  return {
    severity: 'info',
    category: categoryOf(request.specializations),
    description: `${tool.name} told ${count} ${count === 1 ? 'result' : 'results'} that ${count === 1 ? 'is' : 'are'} not shown: of files that are not under review, without a form, or over the limit of ${analyzerLimits.toolResults}.`,
    references: [],
    rule: `${tool.name}/left-out`,
  };
}
