import {
  headingOf,
  leadingId,
  listItemOf,
  markdownLines,
  plainTitle,
  type MarkdownLine,
} from './markdown-lines.ts';
import { criteriaOf } from './task-document.ts';

/** What a specification asks for. */
export interface Requirement {
  readonly id: string;
  readonly text: string;
  readonly file: string;
  readonly line: number;
  readonly criteria: readonly { readonly id: string; readonly text: string; readonly line: number }[];
}

/** The requirements of a document of the specification: `### Requirement 1`, `REQ-1: …` as heading, item or row. */
export function readRequirements(text: string, file: string): Requirement[] {
  const lines = markdownLines(text);
  const starts = lines.flatMap((line) => {
    const named = requirementOf(line);
    return named === undefined ? [] : [{ ...named, line }];
  });
  return starts.map(({ id, title, line, level }, index) => {
    const end = endOf(lines, { line, level, next: starts[index + 1]?.line });
    const body = lines.slice(line.number, end);
    const criteria = criteriaOf(body).map((one, place) => ({
      ...one,
      id: leadingId(one.text)?.id.replace(/^AC-?/i, '') ?? `${id}.${place + 1}`,
    }));
    const said = title === '' ? firstWords(body) : title;
    return { id, text: said, file, line: line.number, criteria };
  });
}

interface Named {
  readonly id: string;
  readonly title: string;
  /** Of the heading; items and rows have none. */
  readonly level: number | undefined;
}

function requirementOf(line: MarkdownLine): Named | undefined {
  const heading = headingOf(line);
  if (heading !== undefined) {
    const [, number = '', title = ''] =
      /^requirement\s+([A-Z]*-?\d+(?:\.\d+)*)(.*)$/i.exec(heading.title) ?? [];
    if (number !== '') return { id: number, title: plainTitle(title), level: heading.level };
    return prefixed(heading.title, heading.level);
  }
  const item = listItemOf(line);
  if (item !== undefined) return prefixed(item.text, undefined);
  const [, cell = '', rest = ''] = (line.isCode ? null : /^\s*\|\s*([^|]+?)\s*\|(.*)$/.exec(line.text)) ?? [];
  return cell === '' ? undefined : prefixed(`${cell} ${rest.replaceAll('|', ' ')}`, undefined);
}

/** Ids with letters before the number are requirements wherever they lead, but for criteria. */
function prefixed(text: string, level: number | undefined): Named | undefined {
  const named = leadingId(text);
  if (named === undefined || !/^(?:REQ|FR|NFR|R|US|SR|PR|UC)-?\d/i.test(named.id)) return undefined;
  return { id: named.id, title: named.rest, level };
}

function endOf(
  lines: readonly MarkdownLine[],
  {
    line,
    level,
    next,
  }: {
    readonly line: MarkdownLine;
    readonly level: number | undefined;
    readonly next: MarkdownLine | undefined;
  },
): number {
  const limit = next === undefined ? lines.length : next.number - 1;
  for (let at = line.number; at < limit; at += 1) {
    const here = lines[at];
    const heading = here === undefined ? undefined : headingOf(here);
    if (heading !== undefined && heading.level <= (level ?? 7) && !/criteri/i.test(heading.title)) return at;
  }
  return limit;
}

function firstWords(body: readonly MarkdownLine[]): string {
  const line = body.find((one) => one.text.trim() !== '' && headingOf(one) === undefined);
  return plainTitle(line?.text ?? '').slice(0, 300);
}
