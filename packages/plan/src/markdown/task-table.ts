import type { SourceText } from '../source-node.ts';
import {
  hoursIn,
  isCompletePath,
  meansNothing,
  saysReview,
  type DraftItem,
  type Group,
  type Hours,
  type Remark,
  type WaitName,
} from './draft.ts';
import { isDeferredPath, isDeferredState, isDeferredTitle, isNotedDeferred } from './deferred.ts';
import type { Section } from './sections.ts';
import {
  codeSpans,
  documentIn,
  endOf,
  everyNode,
  plainText,
  startOf,
  type Table,
  type TableRow,
} from './syntax.ts';

/** What a column holds, told by its heading. The first that fits counts. */
const columns = {
  id: /^(id|#|no\.?|nr\.?|number)$/i,
  name: /^(task|name|review|item|title|feature|component|work|step)s?( name)?$/i,
  document: /\b(doc|docs|document|documents|file|spec|specification)\b/i,
  waits: /depend|blocked by|\bafter\b|\bneeds\b|prerequisite|waits/i,
  hours: /effort|estimate|hours|duration|\btime\b/i,
  priority: /^priority$/i,
  workspace: /^(workspace|paths?|folders?|writes)$/i,
  kind: /^(kind|type)$/i,
  run: /^(command|commands|run)$/i,
  status: /^(status|state|done)$/i,
} as const;
type Column = keyof typeof columns;

type Cell = TableRow['children'][number];

interface TableShape {
  readonly at: ReadonlyMap<Column, number>;
  readonly width: number;
  readonly unit: 'hours' | 'minutes' | undefined;
}

/** What rows are read with. */
export interface TableContext {
  readonly section: Section;
  /** The text that offsets are of. */
  readonly source: string;
  readonly remarks: Remark[];
}

/** The tasks of a table, or nothing if it is one of another kind: tasks have a name and something else that a plan uses. */
export function tasksOfTable(table: Table, context: TableContext): DraftItem[] | undefined {
  const [head, ...rows] = table.children;
  const shape = head === undefined ? undefined : shapeOf(head);
  if (shape === undefined) return undefined;
  const group = { title: context.section.title, offset: context.section.offset };
  let below: SourceText | undefined;
  return rows.flatMap((row) => {
    if (isDivider(row)) below = dividerOf(row);
    if (isDivider(row) && below !== undefined) return [];
    return itemOf(row, { ...context, shape, group, below }) ?? [];
  });
}

function shapeOf(head: TableRow): TableShape | undefined {
  const at = new Map<Column, number>();
  const titles = head.children.map(plainText);
  for (const [index, title] of titles.entries()) {
    const column = (Object.keys(columns) as Column[]).find((name) => columns[name].test(title));
    if (column !== undefined && !at.has(column)) at.set(column, index);
  }
  const isTasks =
    at.has('name') && (['document', 'waits', 'workspace', 'run'] as const).some((name) => at.has(name));
  if (!isTasks) return undefined;
  const hours = titles[at.get('hours') ?? -1] ?? '';
  const unit = /hour/i.test(hours) ? 'hours' : /minute/i.test(hours) ? 'minutes' : undefined;
  return { at, width: titles.length, unit };
}

/** A row of one text: `| **Deferred** | | |`. */
function isDivider({ children: [first, ...others] }: TableRow): boolean {
  return first !== undefined && plainText(first) !== '' && others.every((cell) => plainText(cell) === '');
}

function dividerOf(row: TableRow): SourceText | undefined {
  const [first] = row.children;
  const title = first === undefined ? '' : plainText(first);
  return isDeferredTitle(title) ? { text: `it stands below "${title}"`, offset: startOf(row) } : undefined;
}

interface RowContext extends TableContext {
  readonly shape: TableShape;
  readonly group: Group;
  /** The row above that says that what follows is deferred. */
  readonly below: SourceText | undefined;
}

function itemOf(row: TableRow, context: RowContext): DraftItem | undefined {
  const { shape, group, section } = context;
  const cell = (column: Column): Cell | undefined => row.children[shape.at.get(column) ?? -1];
  const text = (column: Column): string => plainText(cell(column) ?? row).trim();
  const name = cell('name') === undefined ? '' : text('name');
  if (isBroken(row, name, context)) return undefined;
  const number = cell('id') === undefined ? '' : text('id');
  const documentCell = cell('document');
  const document = documentCell && documentIn(documentCell);
  const done = doneOf(document, cell('status'));
  const deferred = deferredOf(row, { document, context, name });
  const hours = hoursOf(cell('hours'), shape);
  const priority = priorityOf(cell('priority') === undefined ? undefined : text('priority'), section.title);
  const kind = cellText(cell('kind'));
  const waits = waitsOf(cell('waits'), context.source);
  const id = (number === '' ? name : number).slice(0, 200);
  return {
    id,
    offset: startOf(cell(number === '' ? 'name' : 'id')?.children[0] ?? row),
    names: [name, number].filter((each) => each !== ''),
    source: 'table',
    group,
    isReview: [name, document?.text, section.title].some(saysReview),
    workspace: pathsOf(cell('workspace')),
    run: runOf(cell('run')),
    ...(document && { document }),
    ...(waits && { waits }),
    ...(hours && { hours }),
    ...(priority !== undefined && { priority }),
    ...(kind && { kind: { ...kind, text: kind.text.toLowerCase() } }),
    ...(done && { done }),
    ...(deferred && { deferred }),
  };
}

/** A row without a name, with more cells than the table has, or that ends before it says what the task waits for. */
function isBroken(row: TableRow, name: string, { shape, remarks }: RowContext): boolean {
  const { length } = row.children;
  const needed = Math.max(shape.at.get('name') ?? 0, shape.at.get('waits') ?? 0) + 1;
  if (length === shape.width && name !== '') return false;
  const isUsable = name !== '' && length < shape.width && length >= needed;
  const cells = `${length} ${length === 1 ? 'cell' : 'cells'}`;
  remarks.push({
    offset: startOf(row),
    code: 'PLAN_BROKEN_ROW',
    message:
      length === shape.width
        ? 'The row names no task and is left out'
        : `The row has ${cells}, its table ${shape.width} columns; ${isUsable ? 'what is missing counts as empty' : 'it is left out'}`,
    fix: 'give each column one cell between `|`; write a `|` inside a cell as `\\|`',
  });
  return !isUsable;
}

function doneOf(document: SourceText | undefined, status: Cell | undefined): SourceText | undefined {
  if (document !== undefined && isCompletePath(document.text))
    return { text: `its document is ${document.text}`, offset: document.offset };
  const text = status === undefined ? '' : plainText(status);
  if (status === undefined || !/^(\[x\]|✅|✔|☑|(done|completed?|finished)\b)/iu.test(text)) return undefined;
  return { text: `its row says ${JSON.stringify(text)}`, offset: startOf(status) };
}

/** By a note behind its name, a cell that says nothing else, the folder of its document, or a row above it. */
function deferredOf(
  row: TableRow,
  { document, context, name }: { document: SourceText | undefined; context: RowContext; name: string },
): SourceText | undefined {
  const at = context.shape.at;
  const open = row.children.filter((_cell, index) => index !== at.get('name') && index !== at.get('waits'));
  const state = open.find((cell) => isDeferredState(plainText(cell)));
  if (state !== undefined)
    return { text: `its row says ${JSON.stringify(plainText(state))}`, offset: startOf(row) };
  if (isNotedDeferred(name)) return { text: 'its name says so', offset: startOf(row) };
  if (document !== undefined && isDeferredPath(document.text))
    return { text: `its document is ${document.text}`, offset: document.offset };
  return context.below;
}

function hoursOf(cell: Cell | undefined, { unit }: TableShape): Hours | undefined {
  return cell === undefined ? undefined : hoursIn(plainText(cell), unit);
}

/** Of its own column, else of the heading: `(Priority 1-2)`. */
function priorityOf(own: string | undefined, title: string): number | undefined {
  const written = own ?? /priority\s+(\d+)/i.exec(title)?.[1];
  const number = /\d+/.exec(written ?? '')?.[0];
  if (number !== undefined) return Number(number);
  const word = /\b(critical|high|medium|low)\b/i.exec(own ?? '')?.[1]?.toLowerCase();
  return word === undefined ? undefined : ['critical', 'high', 'medium', 'low'].indexOf(word);
}

function cellText(cell: Cell | undefined): SourceText | undefined {
  const text = cell === undefined ? '' : plainText(cell);
  if (cell === undefined || text === '' || meansNothing(text)) return undefined;
  return { text, offset: startOf(cell.children[0] ?? cell) };
}

function pathsOf(cell: Cell | undefined): SourceText[] {
  if (cell === undefined) return [];
  const code = codeSpans([cell]);
  if (code.length > 0) return code;
  const whole = cellText(cell);
  return whole === undefined
    ? []
    : whole.text
        .split(/[,;]\s*|\s+/)
        .filter((text) => text !== '')
        .map((text) => ({ text, offset: whole.offset }));
}

function runOf(cell: Cell | undefined): SourceText[] {
  if (cell === undefined) return [];
  const code = codeSpans([cell]);
  const whole = cellText(cell);
  return code.length > 0 || whole === undefined ? code : [whole];
}

/** The names in a cell, each with its place; undefined: the table has no such column or the cell is empty. */
function waitsOf(cell: Cell | undefined, source: string): WaitName[] | undefined {
  const whole = cell === undefined ? '' : plainText(cell);
  if (cell === undefined || whole === '') return undefined;
  const links = new Map(
    [...everyNode(cell)].flatMap((node) => {
      const document = node.type === 'link' ? documentIn(node)?.text : undefined;
      return document === undefined ? [] : [[plainText(node), document] as const];
    }),
  );
  return namesIn(whole, { source, from: startOf(cell), to: endOf(cell) }).map((name) => {
    const document = links.get(name.text);
    return document === undefined ? name : { ...name, document };
  });
}

/** `Schema, Runtime` as two names with their places. */
export function namesIn(
  text: string,
  { source, from, to }: { source: string; from: number; to: number },
): SourceText[] {
  if (meansNothing(text)) return [];
  let at = from;
  return text
    .split(/[,;]/)
    .map((part) => part.trim())
    .filter((part) => part !== '' && !meansNothing(part))
    .map((part) => {
      const found = source.indexOf(part, at);
      const isInside = found >= 0 && found < to;
      if (isInside) at = found + part.length;
      return { text: part, offset: isInside ? found : from };
    });
}
