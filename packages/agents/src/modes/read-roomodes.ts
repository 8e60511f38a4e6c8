import { isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import { z } from 'zod';
import { toolGroups, type Grant, type ToolGroup } from '../tools/tool-groups.ts';
import type { Mode } from './mode.ts';

/** One thing wrong with a `.roomodes` file; warnings leave the mode as it is. */
export interface ModeProblem {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly fix: string;
}

export interface ReadModes {
  /** Those without an error. */
  readonly modes: readonly Mode[];
  readonly problems: readonly ModeProblem[];
}

const bytesMax = 1024 * 1024;
const modesMax = 200;
/** Groups that other programs know; we have no such tools. */
const foreignGroups = ['browser', 'modes'];

const text = z.string().min(1).max(64_000);
const slugPattern = /^[a-zA-Z0-9][a-zA-Z0-9-]*$/;

/** Reads `customModes` of a `.roomodes` file, YAML or JSON, and tells all problems at once. */
export function readRoomodes(source: string, file: string): ReadModes {
  const reading = new Reading(source, file);
  return { modes: reading.modes(), problems: reading.problems };
}

type Path = readonly (string | number)[];

/** One file while it is read: JSON is YAML too. */
class Reading {
  readonly problems: ModeProblem[] = [];
  private readonly file: string;
  private readonly source: string;
  private readonly lines = new LineCounter();
  private readonly document: Document;

  constructor(source: string, file: string) {
    this.file = file;
    this.source = source;
    const isTooLarge = source.length > bytesMax;
    this.document = parseDocument(isTooLarge ? '' : source, { lineCounter: this.lines });
    if (isTooLarge) this.add([], `the file is over its limit of ${bytesMax} bytes`, 'keep only what is used');
    for (const { severity, error } of this.syntax())
      this.put(severity, error.pos[0], {
        message: error.message.split('\n', 1)[0] ?? '',
        fix: 'write YAML or JSON',
      });
  }

  modes(): Mode[] {
    if (this.problems.some(({ severity }) => severity === 'error')) return [];
    const root: unknown = this.document.toJS({ maxAliasCount: 100 });
    const list = isRecord(root) ? root['customModes'] : undefined;
    if (!Array.isArray(list)) {
      this.add([], 'the file has no list "customModes"', 'begin with customModes: and a list of modes');
      return [];
    }
    if (list.length > modesMax)
      this.add(['customModes'], `more than ${modesMax} modes`, 'keep only what is used');
    const modes = list
      .slice(0, modesMax)
      .flatMap((entry: unknown, index) => this.mode(entry, ['customModes', index]) ?? []);
    return modes.filter((mode, index) => this.isFirst(mode, index, modes));
  }

  private syntax() {
    const { errors, warnings } = this.document;
    return [
      ...errors.map((error) => ({ severity: 'error' as const, error })),
      ...warnings.map((error) => ({ severity: 'warning' as const, error })),
    ];
  }

  private isFirst(mode: Mode, index: number, modes: readonly Mode[]): boolean {
    if (modes.findIndex(({ slug }) => slug === mode.slug) === index) return true;
    this.add(['customModes', index, 'slug'], `two modes have the slug "${mode.slug}"`, 'rename one of them');
    return false;
  }

  private mode(entry: unknown, path: Path): Mode | undefined {
    if (!isRecord(entry)) {
      this.add(path, 'a mode is a map', 'give it slug, name, roleDefinition and groups');
      return undefined;
    }
    const before = this.problems.filter(({ severity }) => severity === 'error').length;
    const slug = this.words(entry, path, 'slug');
    if (slug !== undefined && (!slugPattern.test(slug) || slug.length > 100))
      this.add([...path, 'slug'], `"${slug}" is no slug`, 'use letters, digits and dashes');
    const name = this.words(entry, path, 'name');
    const roleDefinition = this.words(entry, path, 'roleDefinition');
    const whenToUse = this.words(entry, path, 'whenToUse', true);
    const customInstructions = this.words(entry, path, 'customInstructions', true);
    const grants = this.grants(entry['groups'], [...path, 'groups']);
    this.warnUnknown(entry, path);
    const hasErrors = this.problems.filter(({ severity }) => severity === 'error').length > before;
    if (hasErrors || slug === undefined || name === undefined || roleDefinition === undefined)
      return undefined;
    return {
      slug,
      name,
      roleDefinition,
      grants,
      ...(whenToUse !== undefined && { whenToUse }),
      ...(customInstructions !== undefined && { customInstructions }),
    };
  }

  private words(
    entry: Readonly<Record<string, unknown>>,
    path: Path,
    key: string,
    isOptional = false,
  ): string | undefined {
    const value = entry[key];
    if (value === undefined && isOptional) return undefined;
    const parsed = text.safeParse(value);
    if (parsed.success) return parsed.data.trim();
    const at = value === undefined ? path : [...path, key];
    this.add(at, `${key} is ${value === undefined ? 'missing' : 'no text'}`, `give ${key} as a text`);
    return undefined;
  }

  private warnUnknown(entry: Readonly<Record<string, unknown>>, path: Path): void {
    for (const key of Object.keys(entry))
      if (!knownKeys.includes(key))
        this.add(
          [...path, key],
          `"${key}" is not known here`,
          `leave it out, or use one of ${knownKeys.join(', ')}`,
          'warning',
        );
  }

  private grants(value: unknown, path: Path): Grant[] {
    if (!Array.isArray(value)) {
      this.add(path, 'groups is no list', `list some of ${toolGroups.join(', ')}`);
      return [];
    }
    const grants = value.flatMap((entry: unknown, index) => this.grant(entry, [...path, index]) ?? []);
    return grants.filter((grant, index) => {
      if (grants.findIndex(({ group }) => group === grant.group) === index) return true;
      this.add(path, `the group "${grant.group}" is listed twice`, 'keep one of the two');
      return false;
    });
  }

  private grant(entry: unknown, path: Path): Grant | undefined {
    const [name, options] = Array.isArray(entry) ? (entry as readonly unknown[]) : [entry, undefined];
    const group = toolGroups.find((each) => each === name);
    if (group === undefined) {
      const isForeign = typeof name === 'string' && foreignGroups.includes(name);
      if (isForeign)
        this.add(path, `there are no tools of the group "${name}" here`, 'leave it out', 'warning');
      else this.add(path, `${JSON.stringify(name)} is no tool group`, `use one of ${toolGroups.join(', ')}`);
      return undefined;
    }
    return options === undefined || options === null
      ? { group }
      : this.restricted(group, options, [...path, 1]);
  }

  private restricted(group: ToolGroup, options: unknown, path: Path): Grant | undefined {
    const fields = isRecord(options) ? options : {};
    const { fileRegex, description } = fields;
    if (!isRecord(options) || (fileRegex !== undefined && typeof fileRegex !== 'string')) {
      this.add(path, 'the options of a group are a map with fileRegex', 'write fileRegex: \\.md$');
      return undefined;
    }
    if (fileRegex !== undefined && group !== 'edit') {
      this.add(
        [...path, 'fileRegex'],
        `fileRegex restricts the group edit, not ${group}`,
        `leave it out: ${group} has all files or none`,
      );
      return undefined;
    }
    if (fileRegex !== undefined && !isPattern(fileRegex)) {
      this.add(
        [...path, 'fileRegex'],
        `${fileRegex} is no regular expression`,
        'mend it; \\.md$ is all Markdown files',
      );
      return undefined;
    }
    return {
      group,
      ...(fileRegex !== undefined && { fileRegex }),
      ...(typeof description === 'string' && { description: description.slice(0, 1000) }),
    };
  }

  private add(path: Path, message: string, fix: string, severity: ModeProblem['severity'] = 'error'): void {
    this.put(severity, this.offsetOf(path), { message, fix });
  }

  private put(
    severity: ModeProblem['severity'],
    offset: number,
    words: Pick<ModeProblem, 'message' | 'fix'>,
  ): void {
    const { line, col } = this.source === '' ? { line: 1, col: 1 } : this.lines.linePos(offset);
    this.problems.push({
      severity,
      file: this.file,
      line: Math.max(1, line),
      column: Math.max(1, col),
      ...words,
    });
  }

  /** Where a value begins, or its key; of what is not there, where its parent begins. */
  private offsetOf(path: Path): number {
    let node: Node | null = this.document.contents;
    for (const step of path) {
      const next: unknown = childOf(node, step);
      if (!isNode(next)) break;
      node = next;
    }
    return node?.range?.[0] ?? 0;
  }
}

const knownKeys = [
  'slug',
  'name',
  'roleDefinition',
  'whenToUse',
  'description',
  'customInstructions',
  'groups',
  'source',
];

function childOf(node: Node | null, step: string | number): unknown {
  if (isSeq(node) && typeof step === 'number') return node.items[step];
  if (!isMap(node)) return undefined;
  const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === step);
  return pair?.value ?? pair?.key;
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPattern(source: string): boolean {
  try {
    return new RegExp(source, 'u').source !== '';
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
