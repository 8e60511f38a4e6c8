import type { Specialization } from '@switchyard/protocol';
import type { SessionState } from './session-document.ts';
import type { WantedReviewer } from './session-input.ts';

export type ProjectType = NonNullable<SessionState['session_metadata']['project_type']>;

/** What reviewers are chosen by. */
export interface ReviewerQuestion {
  /** What is said of the task, in the list of tasks and in the plan. */
  readonly texts: readonly string[];
  /** Files under review. */
  readonly paths: readonly string[];
  /** Categories of findings of an earlier review. */
  readonly earlier: readonly string[];
  /** What the command line names; then nothing is chosen. */
  readonly asked?: readonly Specialization[] | undefined;
}

export interface ReviewerChoice {
  readonly projectType: ProjectType;
  readonly reviewers: readonly WantedReviewer[];
  /** For the state and the report. */
  readonly reason: string;
  /** Every dimension that the type asks for has its reviewer. */
  readonly covers: boolean;
}

/** The dimensions that a type of project asks for (the specification of review sessions). */
export const dimensionsOf: Readonly<Record<ProjectType, readonly Specialization[]>> = {
  'front end': ['code-quality', 'testing', 'security'],
  'back end': ['code-quality', 'testing', 'security', 'performance', 'integration'],
  'full stack': ['code-quality', 'testing', 'security', 'performance', 'integration', 'documentation'],
};

/** What a reviewer looks at; no two reviewers of one session have a point in common. */
const common: Readonly<Record<Specialization, readonly string[]>> = {
  'code-quality': ['complexity and duplication', 'naming and types', 'maintainability'],
  testing: ['tests of what changed', 'weakened or skipped tests', 'test data'],
  security: ['input validation', 'secrets', 'authentication and authorization'],
  performance: ['work repeated in loops', 'caching', 'blocking calls'],
  integration: ['contracts and exports', 'dependencies and lock files', 'imports that lead nowhere'],
  documentation: ['documentation of interfaces', 'guides for users', 'outdated passages'],
  style: ['formatting and conventions'],
};
const front: Partial<typeof common> = {
  'code-quality': ['component structure', 'state of the interface'],
  testing: ['component tests', 'end-to-end tests'],
  security: ['cross-site scripting', 'cross-site request forgery'],
  performance: ['rendering and bundle size'],
};
const back: Partial<typeof common> = {
  'code-quality': ['service architecture', 'data models'],
  testing: ['integration tests'],
  security: ['injection', 'encryption of data'],
  performance: ['database queries', 'load'],
  integration: ['communication between services'],
};
const specific: Readonly<Record<ProjectType, readonly Partial<typeof common>[]>> = {
  'front end': [front],
  'back end': [back],
  'full stack': [front, back],
};

/** Chooses by what the task says it is, else by its words and the endings of its files; says why. */
export function chooseReviewers(question: ReviewerQuestion): ReviewerChoice {
  const { projectType, why } = typeOf(question);
  const usual = dimensionsOf[projectType];
  const wanted = new Map<Specialization, string>();
  if (question.asked === undefined) {
    for (const dimension of usual) wanted.set(dimension, `a ${projectType} project asks for it`);
    for (const [dimension, reason] of extraOf(question))
      if (!wanted.has(dimension)) wanted.set(dimension, reason);
  } else for (const dimension of question.asked) wanted.set(dimension, 'the command line names it');
  const reviewers = [...wanted].map(([dimension, reason]) => ({
    dimension,
    reason,
    focus: [...specific[projectType].flatMap((points) => points[dimension] ?? []), ...common[dimension]],
  }));
  const missing = usual.filter((dimension) => !wanted.has(dimension));
  const extra = reviewers.filter(({ dimension }) => !usual.includes(dimension));
  const reason = [
    `${projectType}: ${why}`,
    ...extra.map((one) => `${one.dimension} as well: ${one.reason}`),
    ...(missing.length === 0 ? [] : [`left out by the command line: ${missing.join(', ')}`]),
  ].join('; ');
  // Who leaves a reviewer out by name knows what is not looked at.
  return { projectType, reviewers, reason, covers: question.asked !== undefined || missing.length === 0 };
}

interface Sign {
  readonly words: RegExp;
  readonly endings: RegExp;
}

const frontSign: Sign = {
  words:
    /\b(front[ -]?end|react|vue|svelte|angular|components?|css|browser|user interface|ui|web page|dom|jsx|tsx)\b/i,
  endings: /\.(tsx|jsx|vue|svelte|css|scss|less|html?)$/i,
};
const backSign: Sign = {
  words:
    /\b(back[ -]?end|server|service|rest|graphql|endpoints?|database|sql|migrations?|queue|worker|daemon|api|microservices?)\b/i,
  endings: /\.(sql|go|py|rb|java|kt|cs|php|rs|proto)$/i,
};

function typeOf({ texts, paths }: ReviewerQuestion): {
  readonly projectType: ProjectType;
  readonly why: string;
} {
  for (const text of texts) {
    const said =
      /^[\s>*_-]*(?:project |task )?type[*_]*\s*:[*_\s]*(front|back|full)[ -]?(?:end|stack)/im.exec(
        text,
      )?.[1];
    if (said !== undefined)
      return {
        projectType:
          said.toLowerCase() === 'full'
            ? 'full stack'
            : said.toLowerCase() === 'front'
              ? 'front end'
              : 'back end',
        why: 'it says so itself',
      };
  }
  if (texts.some((text) => /\bfull[ -]?stack\b/i.test(text)))
    return { projectType: 'full stack', why: 'the task says "full stack"' };
  const inFront = signOf(frontSign, texts, paths);
  const inBack = signOf(backSign, texts, paths);
  if (inFront !== undefined && inBack !== undefined)
    return { projectType: 'full stack', why: `${inFront} is of a front end, ${inBack} of a back end` };
  if (inFront !== undefined)
    return { projectType: 'front end', why: `${inFront} is of a front end, and nothing of a back end` };
  if (inBack !== undefined)
    return { projectType: 'back end', why: `${inBack} is of a back end, and nothing of a front end` };
  return { projectType: 'back end', why: 'nothing speaks of a user interface' };
}

/** A word or a file that speaks for a type, quoted. */
function signOf(
  { words, endings }: Sign,
  texts: readonly string[],
  paths: readonly string[],
): string | undefined {
  const path = paths.find((one) => endings.test(one));
  if (path !== undefined) return path;
  for (const text of texts) {
    // Names of files are judged by their endings.
    const word = words.exec(text.replace(/`[^`]*`/g, ''))?.[0];
    if (word !== undefined) return `"${word}"`;
  }
  return undefined;
}

/** What the content calls for beyond the type. */
function extraOf({ texts, paths, earlier }: ReviewerQuestion): [Specialization, string][] {
  const extra: [Specialization, string][] = [];
  for (const dimension of Object.keys(common) as Specialization[])
    if (earlier.includes(dimension)) extra.push([dimension, 'the earlier review has findings of it']);
  const document = paths.find((path) => /\.(md|mdx|rst|adoc)$/i.test(path));
  if (document !== undefined) extra.push(['documentation', `${document} is under review`]);
  for (const text of texts) {
    const word = /\b(performance|latency|throughput|cach(?:e|ing)|optimi[sz]e)\b/i.exec(text)?.[0];
    if (word !== undefined) extra.push(['performance', `the task says "${word}"`]);
    const contract = /\b(public api|contract|breaking change|integration)\b/i.exec(text)?.[0];
    if (contract !== undefined) extra.push(['integration', `the task says "${contract}"`]);
  }
  return extra;
}
