import { isMap, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import { messageOf, specialization, type Specialization } from '@switchyard/protocol';
import { z } from 'zod';
import { analyzerLimits } from '../analyzer-limits.ts';
import type { AnalysisRequest, PlacedFinding } from '../engine.ts';
import { categoryOf } from '../left-out.ts';
import { lintEngineName } from '../lint/security-rules.ts';
import { readSource } from '../source-file.ts';

/** Where a repository says what its reviews leave out, and which tests they protect. */
export const policyPath = '.switchyard/review.yml';

const text = z.string().trim().min(1).max(1000);
const day = z
  .union([z.string(), z.date().transform((date) => date.toISOString().slice(0, 10))])
  .pipe(z.iso.date());

/** What rules of ours begin with; a tool cannot speak in their name. */
const ownNames: ReadonlySet<string> = new Set([
  'secretlint',
  'ast-grep',
  'text',
  'sql',
  'change',
  'oxlint',
  lintEngineName,
  'policy',
  'analyzers',
  'style',
]);

const policyFile = z.strictObject({
  suppressions: z
    .array(
      z.strictObject({
        /** `ast-grep/no-eval`; a `*` at the end stands for all that begin like it. */
        rule: text,
        /** Paths it holds for; everywhere unless told. */
        path: text.optional(),
        /** One finding alone, by the fingerprint that the SARIF report carries. */
        fingerprint: text.optional(),
        reason: text.optional(),
        until: day.optional(),
      }),
    )
    .max(1000)
    .default([]),
  /** Tests that a change may not loosen at all. */
  protected: z.array(text).max(1000).default([]),
  /** Whether security reviews look with the deeper set, too. */
  deep: z.boolean().default(false),
  /** Tools that print SARIF. */
  engines: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'small letters, digits and hyphens'),
        /** A line for `sh`, run at the root of the tree, which it can only read. */
        run: z.string().trim().min(1).max(4000),
        specializations: z.array(specialization).min(1).default(['security']),
        /** Files of the repository that it judges by, beside those that its line names: paths and patterns. */
        rules: z.array(text).max(100).default([]),
        timeoutMinutes: z.number().positive().max(analyzerLimits.toolMinutesMax).default(5),
      }),
    )
    .max(analyzerLimits.tools)
    .refine((all) => all.every(({ name }) => !ownNames.has(name)), 'a name of one of our own engines')
    .default([]),
});

/** A tool that prints SARIF, as the policy names it. */
export interface CommandTool {
  readonly name: string;
  readonly run: string;
  readonly specializations: readonly Specialization[];
  readonly rules: readonly string[];
  readonly timeoutMinutes: number;
}

/** One suppression that counts: it has a reason, and its day has not passed. */
export interface Suppression {
  readonly rule: string;
  readonly path?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly reason: string;
  readonly until: string;
}

export interface ReviewPolicy {
  readonly suppressions: readonly Suppression[];
  readonly protected: readonly string[];
  readonly tools: readonly CommandTool[];
  readonly deep: boolean;
  /** What is wrong with the policy itself. */
  readonly problems: readonly PlacedFinding[];
}

/**
 * The policy that counts: of the tree before the change, since a change must not decide how it is judged; of the
 * tree itself where there is no change. A malformed policy suppresses nothing and is a finding.
 */
export async function readPolicy(request: AnalysisRequest): Promise<ReviewPolicy> {
  const tree = request.policy ?? request.base;
  const now = await textNow(request);
  const found = tree === undefined ? now : await tree.read(policyPath);
  const today = request.today ?? new Date().toISOString().slice(0, 10);
  const category = categoryOf(request.specializations);
  const policy = found === undefined ? nothing : parsePolicy(found, today, category);
  const isEdited =
    tree !== undefined && found !== now && request.files.some((file) => file.path === policyPath);
  if (!isEdited) return policy;
  const after = now === undefined ? nothing : parsePolicy(now, today, category);
  // Lines of the one before say nothing of the file as it is now.
  const problems = policy.problems.map(({ line: _before, ...one }) => one);
  return { ...policy, problems: [...problems, edited(looserIn(policy, after), category)] };
}

async function textNow({ root }: AnalysisRequest): Promise<string | undefined> {
  const source = await readSource(root, policyPath);
  return source.kind === 'text' ? source.text : undefined;
}

const nothing: ReviewPolicy = { suppressions: [], protected: [], tools: [], deep: false, problems: [] };

/** Reads a policy; what does not count in it is a problem. */
export function parsePolicy(source: string, today: string, category: string): ReviewPolicy {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines });
  const syntax = document.errors[0];
  if (syntax !== undefined)
    return malformed(syntax.message.split('\n')[0] ?? '', lines.linePos(syntax.pos[0]).line, category);
  let plain: unknown;
  try {
    plain = document.toJS({ maxAliasCount: 0 }) ?? {};
  } catch (error) {
    // Aliases, which can make gigabytes of a few lines; nothing in a policy needs them.
    return malformed(messageOf(error), 1, category);
  }
  const parsed = policyFile.safeParse(plain);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0] ?? { path: [], message: 'it has another form' };
    return malformed(`${path.length === 0 ? '' : `${path.join('.')}: `}${message}`, 1, category);
  }
  const problems: PlacedFinding[] = [];
  const suppressions: Suppression[] = [];
  for (const [index, one] of parsed.data.suppressions.entries()) {
    const { reason, until, ...rest } = one;
    const flaw = flawOf(one, today);
    if (flaw !== undefined)
      problems.push(problem({ ...flaw, line: lineOfSuppression(document, lines, index), category }));
    else if (reason !== undefined && until !== undefined) suppressions.push({ ...rest, reason, until });
  }
  const { protected: tests, engines: tools, deep } = parsed.data;
  return { suppressions, protected: tests, tools, deep, problems };
}

interface Flaw {
  readonly rule: string;
  readonly description: string;
  readonly suggestion: string;
}

/** Why a suppression does not count; undefined where it does. */
function flawOf(
  { rule, reason, until }: { rule: string; reason?: string | undefined; until?: string | undefined },
  today: string,
): Flaw | undefined {
  if (reason === undefined)
    return {
      rule: 'suppression-without-reason',
      description: `The suppression of ${rule} has no reason, so it does not count.`,
      suggestion: 'Say why the finding may stand, or take the suppression out.',
    };
  if (until === undefined)
    return {
      rule: 'suppression-without-end',
      description: `The suppression of ${rule} has no end, so it does not count.`,
      suggestion: 'Give it a day, such as `until: 2027-01-31`.',
    };
  if (until >= today) return undefined;
  return {
    rule: 'suppression-expired',
    description: `The suppression of ${rule} ended on ${until}; it does not count any more.`,
    suggestion: 'Mend what it hid, or have somebody decide about a new end.',
  };
}

function malformed(why: string, line: number, category: string): ReviewPolicy {
  const description = `The review policy is malformed, so nothing of it counts: ${why}`.slice(0, 4000);
  const suggestion = 'Mend it; `switchyard help review` shows its form.';
  return { ...nothing, problems: [problem({ rule: 'malformed', description, suggestion, line, category })] };
}

function problem(about: Flaw & { readonly line: number; readonly category: string }): PlacedFinding {
  return {
    ...about,
    severity: 'minor',
    file: policyPath,
    caused: true,
    references: [],
    rule: `policy/${about.rule}`,
  };
}

function lineOfSuppression(document: Document.Parsed, lines: LineCounter, index: number): number {
  const list = isMap(document.contents) ? document.contents.get('suppressions', true) : undefined;
  const node = isSeq(list) ? list.items[index] : undefined;
  const start = (node as { range?: readonly number[] } | undefined)?.range?.[0];
  return start === undefined ? 1 : lines.linePos(start).line;
}

/** What a policy no longer asks for, or lets stand, that the one before it did not: in words. */
function looserIn(before: ReviewPolicy, after: ReviewPolicy): string[] {
  const gone = <Item>(was: readonly Item[], is: readonly Item[]): Item[] => {
    const there = new Set(is.map((one) => JSON.stringify(one)));
    return was.filter((one) => !there.has(JSON.stringify(one)));
  };
  return [
    ...gone(after.suppressions, before.suppressions).map(({ rule }) => `${rule} is let stand`),
    ...gone(before.protected, after.protected).map((tests) => `${tests} is protected no more`),
    ...(before.deep && !after.deep ? ['the deeper set is asked no more'] : []),
    ...gone(before.tools, after.tools).map(({ name }) => `${name} is not asked as before`),
  ];
}

function edited(looser: readonly string[], category: string): PlacedFinding {
  const isLooser = looser.length > 0;
  const what = isLooser
    ? `loosens the policy of reviews: ${looser.join('; ')}`
    : 'edits the policy of reviews';
  return {
    severity: isLooser ? 'major' : 'minor',
    category,
    file: policyPath,
    description: `The change ${what}. This review went by the policy before it.`.slice(0, 4000),
    suggestion: isLooser
      ? 'Leave it as it was; who decides how changes are judged commits it apart from what is judged by it.'
      : 'Have a person look at it: it counts from the next change on.',
    references: [],
    rule: isLooser ? 'policy/loosened' : 'policy/edited',
  };
}
