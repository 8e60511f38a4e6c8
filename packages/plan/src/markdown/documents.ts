import type { Complaint } from '../read-yaml.ts';
import type { SourceEntry, SourceText } from '../source-node.ts';
import { boxesOf } from './checklists.ts';
import { splitFrontMatter, usableEntries } from './front-matter.ts';
import { pointsOf } from './prose.ts';
import { sectionsOf, under, type Section } from './sections.ts';
import { isPath } from './steps.ts';
import { codeSpans, itemsOf, parseMarkdown, plainText, startOf } from './syntax.ts';

/** What a task's own document gives to it. All offsets are those of the tree (see Places). */
export interface TaskDocument {
  /** Its text without front matter. */
  readonly text: string;
  /** Keys of a task, from its front matter. */
  readonly entries: ReadonlyMap<string, SourceEntry>;
  readonly complaints: readonly Complaint[];
  /** Paths of sections such as `Workspace`, `Scope`, `Files`. */
  readonly paths: readonly SourceText[];
  /** Checks in words. */
  readonly criteria: readonly SourceText[];
  /** Checks by a command: points that are nothing but code. */
  readonly commands: readonly SourceText[];
  readonly openBoxes: readonly SourceText[];
}

const scopeTitle = /^(workspace|scope|files|paths|in scope|files to (review|change|create))\b/i;
const criteriaTitle = /\bacceptance\b|\bsuccess criteria\b|^done when\b|\bdefinition of done\b/i;

/** Reads a document that a row names; `start` is where it begins in the tree. */
export function readDocument(text: string, start: number): TaskDocument {
  const matter = splitFrontMatter(text, start);
  const { entries, complaints } = usableEntries(matter, { path: ['tasks', 0] });
  const sections = sectionsOf(parseMarkdown(matter.body));
  const boxes = boxesOf(sections, matter.body);
  const moved = (one: SourceText): SourceText => ({ text: one.text, offset: one.offset + start });
  const found = criteriaIn(under(sections, criteriaTitle));
  const listed = new Set(found.all.map(({ offset }) => offset));
  return {
    text: matter.body.trim(),
    entries,
    complaints: [...matter.complaints, ...complaints],
    paths: under(sections, scopeTitle)
      .flatMap(({ blocks }) => codeSpans(blocks))
      .filter((code) => isPath(code.text))
      .map(moved),
    criteria: [
      ...found.words,
      ...boxes.filter(({ text: said, offset }) => said !== '' && !listed.has(offset)),
    ].map(moved),
    commands: found.commands.map(moved),
    openBoxes: boxes.filter(({ isTicked }) => !isTicked).map(moved),
  };
}

interface Criteria {
  readonly words: readonly SourceText[];
  readonly commands: readonly SourceText[];
  readonly all: readonly SourceText[];
}

/** Points of lists; one that is nothing but code is a command. */
export function criteriaIn(sections: readonly Section[]): Criteria {
  const commands = sections.flatMap(({ blocks }) =>
    itemsOf(blocks).flatMap((item) => {
      const [code] = codeSpans([item]);
      const isOnlyCode = code !== undefined && plainText(item) === code.text && !isPath(code.text);
      return isOnlyCode ? [{ text: code.text, offset: startOf(item) }] : [];
    }),
  );
  const all = sections.flatMap(({ blocks }) => pointsOf(blocks));
  const taken = new Set(commands.map(({ offset }) => offset));
  return { all, commands, words: all.filter(({ offset }) => !taken.has(offset)) };
}
