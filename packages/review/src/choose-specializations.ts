import type { ChangedFile, PlanTask, Specialization } from '@switchyard/protocol';

/** Words that call for a specialist (DESIGN.md section 9), in a changed path or in the task's text. */
const words = {
  security: [
    'auth',
    'login',
    'password',
    'token',
    'encrypt',
    'security',
    'payment',
    'authentication',
    'authorization',
  ],
  performance: ['optimize', 'performance', 'cache', 'query', 'index', 'algorithm'],
} as const satisfies Partial<Record<Specialization, readonly string[]>>;

const experimentWords = ['prototype', 'prototypes', 'experiment', 'experiments', 'experimental'];
const experimentPath = /(^|\/)(prototypes?|experiments?)\//i;
const generatedPath = /(^|\/)(generated|__generated__)\/|\.(generated|gen)\.[^/]+$/i;

/** Which reviewers a change gets, and why. */
export interface SpecializationChoice {
  /** Nobody needs to look at it. */
  readonly skip: boolean;
  readonly specializations: readonly Specialization[];
  /** For the report. */
  readonly reason: string;
}

type ReviewedTask = Pick<PlanTask, 'instructions' | 'kind' | 'review'>;

/**
 * The plan says; else whole words in the changed paths and in the task's text; else style. Prototypes, experiments and
 * generated files are skipped, unless a word calls for a specialist or the plan names one: what a worker calls its
 * folder must not keep reviewers from what matters. Renames cannot be told from the list of changed files and are
 * reviewed.
 */
export function chooseSpecializations(
  task: ReviewedTask,
  files: readonly Pick<ChangedFile, 'path'>[],
): SpecializationChoice {
  if (task.review.mode === 'never') return skip('the plan says that it is not reviewed');
  const asked = [...new Set(task.review.specializations)];
  if (asked.length > 0) return { skip: false, specializations: asked, reason: 'the plan names them' };
  const called = calledFor(task, files);
  if (called.length > 0)
    return {
      skip: false,
      specializations: called.map(({ specialization }) => specialization),
      reason: called.map(({ specialization, why }) => `${specialization}: ${why}`).join('; '),
    };
  const needless = task.kind === 'review' ? undefined : whyNeedless(task, files);
  if (needless !== undefined) return skip(needless);
  return { skip: false, specializations: ['style'], reason: 'nothing calls for a specialist' };
}

function skip(reason: string): SpecializationChoice {
  return { skip: true, specializations: [], reason };
}

interface Call {
  readonly specialization: Specialization;
  readonly why: string;
}

function calledFor(task: ReviewedTask, files: readonly Pick<ChangedFile, 'path'>[]): Call[] {
  const text = wordsOf(task.instructions);
  const paths = files.map(({ path }) => ({ path, words: wordsOf(path) }));
  return (['security', 'performance'] as const).flatMap((specialization) => {
    for (const word of words[specialization]) {
      if (text.has(word)) return [{ specialization, why: `the task says "${word}"` }];
      const file = paths.find((one) => one.words.has(word));
      if (file !== undefined) return [{ specialization, why: `"${word}" in ${file.path}` }];
    }
    return [];
  });
}

function whyNeedless(task: ReviewedTask, files: readonly Pick<ChangedFile, 'path'>[]): string | undefined {
  const text = wordsOf(task.instructions);
  const word = experimentWords.find((one) => text.has(one));
  if (word !== undefined) return `the task says "${word}"`;
  if (files.length === 0) return undefined;
  if (files.every(({ path }) => experimentPath.test(path))) return 'every changed file is an experiment';
  if (files.every(({ path }) => generatedPath.test(path))) return 'every changed file is generated';
  return undefined;
}

/** The words of a path or a text, in lower case; `userLogin` has two; files called `index` say nothing. */
function wordsOf(text: string): ReadonlySet<string> {
  const plain = text
    .replace(/(^|[^A-Za-z0-9])index(\.[A-Za-z0-9]+)+/gi, '$1')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return new Set(plain.split(/[^a-z0-9]+/));
}
