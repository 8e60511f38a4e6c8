import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type YAMLMap } from 'yaml';
import { fieldMeant, isSessionField, sessionFields } from './session-fields.ts';

/** A section of a report: its heading, and what stands under it. */
export interface TemplateSection {
  readonly title: string;
  /** Text with `{{fields}}`. */
  readonly content: string;
  readonly sections: readonly TemplateSection[];
}

export interface SessionTemplate {
  readonly title: string;
  readonly sections: readonly TemplateSection[];
}

/** Something in a template that does not count, or keeps it from being one. */
export interface TemplateProblem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface ParsedTemplate {
  /** Undefined: it is no template at all. */
  readonly template?: SessionTemplate;
  readonly problems: readonly TemplateProblem[];
}

const titleOfOurs = 'Review of task {{task_id}}: {{task_title}}';
const sectionsMax = 200;
const depthMax = 5;

/**
 * Reads a template, in one of two forms: a list `sections` of {title, fields | content | sections}; or a map whose keys
 * are fields, or headings with fields beneath. Fields that nobody knows are told, and so is what is not a template.
 */
export function parseSessionTemplate(text: string): ParsedTemplate {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const reader = new TemplateReader(lines);
  for (const { message, pos } of document.errors.slice(0, 20))
    reader.complain(pos[0], `no valid YAML: ${message.split('\n')[0] ?? ''}`);
  if (reader.problems.length > 0) return { problems: reader.problems };
  if (!isMap(document.contents)) {
    reader.complain(0, 'a template is a map: `title` and `sections`, or fields');
    return { problems: reader.problems };
  }
  return { template: reader.template(document.contents), problems: reader.problems };
}

/** Keys of a section that say something to its author, and nothing to us. */
const silentKeys: ReadonlySet<string> = new Set([
  'instruction',
  'instructions',
  'description',
  'required',
  'type',
]);
/** Keys of a template that are about itself. */
const ownKeys: ReadonlySet<string> = new Set([
  'template',
  'version',
  'name',
  'id',
  'description',
  'output',
  'workflow',
]);

class TemplateReader {
  readonly problems: TemplateProblem[] = [];
  private readonly lines: LineCounter;
  private count = 0;

  constructor(lines: LineCounter) {
    this.lines = lines;
  }

  template(root: YAMLMap): SessionTemplate {
    const title = textAt(root, 'title') ?? titleOfOurs;
    this.checkFields(title, root);
    const sections: unknown = root.get('sections', true);
    if (sections === undefined) return { title, sections: this.fieldMap(root, 1) };
    for (const { key } of root.items)
      if (
        isScalar(key) &&
        !ownKeys.has(String(key.value)) &&
        key.value !== 'title' &&
        key.value !== 'sections'
      )
        this.complain(startOf(key), `"${String(key.value)}" is no part of a template`);
    return { title, sections: this.sections(sections, 1) };
  }

  complain(offset: number, message: string): void {
    const { line, col } = this.lines.linePos(offset);
    this.problems.push({ line, column: col, message });
  }

  private sections(list: unknown, depth: number): TemplateSection[] {
    if (!isSeq(list)) {
      this.complain(startOf(list), '"sections" is a list');
      return [];
    }
    return list.items.flatMap((item) => {
      if (!this.hasRoom(item, depth)) return [];
      if (isScalar(item) && typeof item.value === 'string') return [this.fieldSection(item.value, item)];
      if (isMap(item)) return [this.section(item, depth)];
      this.complain(startOf(item), 'a section is a map, or the name of a field');
      return [];
    });
  }

  private section(map: YAMLMap, depth: number): TemplateSection {
    const id = textAt(map, 'id');
    for (const { key } of map.items)
      if (isScalar(key) && !sectionKeys.has(String(key.value)) && !silentKeys.has(String(key.value)))
        this.complain(startOf(key), `"${String(key.value)}" is no part of a section`);
    const title = textAt(map, 'title') ?? headingOf(id ?? 'section');
    this.checkFields(title, map);
    const content = textAt(map, 'content') ?? textAt(map, 'template');
    const fields: unknown = map.get('fields', true);
    const nested: unknown = map.get('sections', true);
    const parts: string[] = [];
    if (content !== undefined) {
      this.checkFields(content, map);
      parts.push(content);
    }
    if (fields !== undefined) parts.push(...this.fieldNames(fields));
    if (content === undefined && fields === undefined && nested === undefined)
      parts.push(this.fieldSection(id ?? '', map).content);
    const sections = nested === undefined ? [] : this.sections(nested, depth + 1);
    return { title, content: parts.join('\n\n'), sections };
  }

  private fieldNames(fields: unknown): string[] {
    if (!isSeq(fields)) {
      this.complain(startOf(fields), '"fields" is a list of fields');
      return [];
    }
    return fields.items.map((item) => {
      const name = isScalar(item)
        ? String(item.value)
        : isMap(item)
          ? (textAt(item, 'id') ?? textAt(item, 'name') ?? '')
          : '';
      return this.fieldSection(name, item).content;
    });
  }

  /** The form without `sections`: fields by their keys, headings with fields beneath. */
  private fieldMap(map: YAMLMap, depth: number): TemplateSection[] {
    return map.items.flatMap(({ key, value }) => {
      const name = isScalar(key) ? String(key.value) : '';
      if (depth === 1 && (ownKeys.has(name) || name === 'title')) return [];
      if (!this.hasRoom(key, depth)) return [];
      if (isMap(value) && !isSessionField(name))
        return [{ title: headingOf(name), content: '', sections: this.fieldMap(value, depth + 1) }];
      return [this.fieldSection(name, key)];
    });
  }

  private fieldSection(name: string, at: unknown): TemplateSection {
    if (fieldMeant(name) !== undefined)
      return { title: headingOf(name), content: `{{${name}}}`, sections: [] };
    this.complain(startOf(at), `unknown field "${name}"; there are ${Object.keys(sessionFields).join(', ')}`);
    return { title: headingOf(name), content: '_Not filled: nobody knows this field._', sections: [] };
  }

  private checkFields(content: string, at: unknown): void {
    for (const [, name = ''] of content.matchAll(placeholder))
      if (fieldMeant(name) === undefined)
        this.complain(
          startOf(at),
          `unknown field "{{${name}}}"; there are ${Object.keys(sessionFields).join(', ')}`,
        );
  }

  private hasRoom(at: unknown, depth: number): boolean {
    this.count += 1;
    if (this.count <= sectionsMax && depth <= depthMax) return true;
    if (this.count === sectionsMax + 1 || depth > depthMax)
      this.complain(startOf(at), `left out: more than ${sectionsMax} sections, or deeper than ${depthMax}`);
    return false;
  }
}

const sectionKeys: ReadonlySet<string> = new Set([
  'id',
  'title',
  'content',
  'template',
  'fields',
  'sections',
]);

/** `{{field}}` */
export const placeholder = /\{\{\s*([\w-]+)\s*\}\}/g;

function textAt(map: YAMLMap, key: string): string | undefined {
  const value: unknown = map.get(key);
  return typeof value === 'string' && value.trim() !== '' ? value.trimEnd() : undefined;
}

function startOf(node: unknown): number {
  return (node as Partial<Node> | undefined)?.range?.[0] ?? 0;
}

/** `earlier_findings` → `Earlier findings` */
function headingOf(name: string): string {
  const words = name.replace(/[_-]+/g, ' ').trim();
  return words === '' ? 'Section' : `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
