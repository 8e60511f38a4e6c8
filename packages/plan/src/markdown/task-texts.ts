import { limits, type Specialization } from '@switchyard/protocol';
import type { TaskDocument } from './documents.ts';
import type { Item, MarkdownModel } from './model.ts';
import { earliest } from './order.ts';
import { guidelinesOf, integrationPoints, relationsOf, risksOf, type Risk, type RiskLevel } from './prose.ts';

/** What the prose of the document says to single tasks. */
export interface Prose {
  readonly guidelines: string;
  readonly notes: ReadonlyMap<string, readonly string[]>;
  readonly risks: ReadonlyMap<string, readonly Risk[]>;
}

const instructionsMax = 60_000;

export function proseOf(model: MarkdownModel): Prose {
  const notes = new Map<string, string[]>();
  const note = (id: string | undefined, text: string): void => {
    if (id !== undefined) notes.set(id, [...(notes.get(id) ?? []), text]);
  };
  for (const relation of relationsOf(model.sections)) {
    const [from] = earliest(relation.from, model);
    note(from, relation.text);
    const [to] = earliest(relation.to, model);
    if (to !== from && relation.kind === 'blocks') note(to, relation.text);
  }
  for (const point of integrationPoints(model.sections)) note(earliest(point.text, model)[0], point.text);
  const risks = new Map<string, Risk[]>();
  for (const risk of risksOf(model.sections))
    for (const id of model.names.within(risk.name)) risks.set(id, [...(risks.get(id) ?? []), risk]);
  return { guidelines: guidelinesOf(model.sections), notes, risks };
}

/** What the one who does a task is told: its document, the risks, what others wait for, the guidelines. */
export function instructionsOf(item: Item, document: TaskDocument | undefined, prose: Prose): string {
  const { headed } = item;
  const own = headed === undefined ? '' : workText(headed.text, headed.steps);
  const title = headed === undefined ? item.id : `${item.id}: ${headed.title}`;
  const named = item.names.find((name) => name !== item.id);
  const paths = document?.paths ?? [];
  const risks = prose.risks.get(item.id) ?? [];
  const parts = [
    headed === undefined && named !== undefined ? `${title}: ${named}` : title,
    document?.text ?? (item.document === undefined ? '' : `See ${item.document.text}.`),
    own,
    paths.length === 0 ? '' : `Scope:\n${bullets(paths.map(({ text }) => text))}`,
    risks.length === 0 ? '' : `Risks:\n${bullets(risks.map(riskText))}`,
    listed('How it stands to other tasks', prose.notes.get(item.id) ?? []),
    prose.guidelines,
  ];
  return parts
    .filter((part) => part !== '')
    .join('\n\n')
    .slice(0, Math.min(instructionsMax, limits.planFileBytes));
}

function workText(text: string, steps: readonly { role: string; text: string; title: string }[]): string {
  const told = steps.filter(({ role }) => role === 'define' || role === 'work');
  return steps.length === 0 ? text : told.map((step) => step.text).join('\n\n');
}

function listed(title: string, texts: readonly string[]): string {
  return texts.length === 0 ? '' : `${title}:\n${bullets(texts)}`;
}

function bullets(texts: readonly string[]): string {
  return texts.map((text) => `- ${text}`).join('\n');
}

function riskText({ level, text }: Risk): string {
  return level === 'high' ? `${text} (high risk: look into every case)` : `${text} (${level} risk)`;
}

/** The depth of a review: rounds by the highest risk, and for a high one the reviewers that its words call for. */
export function depthOf(risks: readonly Risk[]): { rounds?: number; specializations: Specialization[] } {
  const has = (level: RiskLevel): boolean => risks.some((risk) => risk.level === level);
  if (has('high')) {
    const words = risks.map(({ text }) => text).join(' ');
    return {
      rounds: 5,
      specializations: [...new Set<Specialization>(['code-quality', 'testing', ...calledBy(words)])],
    };
  }
  return { ...(has('medium') && { rounds: 4 }), specializations: [] };
}

/** Reviewers that words such as `injection` or `index` call for. */
export function calledBy(text: string): Specialization[] {
  const words: readonly (readonly [RegExp, Specialization])[] = [
    [/injection|secret|auth|security|polic(y|ies)|permission|leak/i, 'security'],
    [/loop|slow|performance|growth|bottleneck|index|leak/i, 'performance'],
    [/contract|compatib|consisten|boundar|integration|isolation/i, 'integration'],
    [/data model|design|duplicat|complexity|\bDRY\b|large functions|refactor/i, 'code-quality'],
    [/coverage|untested|\btest(s|ing)?\b/i, 'testing'],
    [/documentation|stale/i, 'documentation'],
  ];
  return words.flatMap(([word, specialization]) => (word.test(text) ? [specialization] : []));
}
