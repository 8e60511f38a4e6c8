import { Lang, parse, type SgNode } from '@ast-grep/napi';
import { nodesOf } from '../code/nodes.ts';
import type { SourceLanguage } from '../path-kind.ts';

/**
 * A TypeScript text as JavaScript in which everything stands where it stood, for linters that know no types: what is of
 * types alone is blanked. It is for reading, not for running: enums and namespaces are blanked as well.
 */
export function blankTypes(text: string, language: SourceLanguage): string {
  const out = text.split('');
  const blank = (from: number, to: number, first?: string): void => {
    for (let at = from; at < to; at += 1) if (!/[\r\n]/.test(out[at] ?? '')) out[at] = ' ';
    if (first !== undefined) out[from] = first;
  };
  const blanker: Blanker = { blank, node: (node, first) => blank(startOf(node), endOf(node), first) };
  const root = parse(Lang[language], text).root();
  for (const node of nodesOf(root, ...Object.keys(steps))) steps[String(node.kind())]?.(node, blanker);
  // After the types are gone.
  for (const node of nodesOf(root, 'arrow_function')) closeBehindType(node, out);
  return out.join('');
}

interface Blanker {
  /** `first`: takes the place of the first character, so that what stands around stays apart. */
  readonly blank: (from: number, to: number, first?: string) => void;
  readonly node: (node: SgNode, first?: string) => void;
}
type Step = (node: SgNode, blanker: Blanker) => void;

const whole: Step = (node, { node: blank }) => blank(node);
/** A statement; with its `export`, where it has one. */
const statement: Step = (node, { node: blank }) => {
  const parent = node.parent();
  blank(parent?.kind() === 'export_statement' ? parent : node, ';');
};
/** A member of a class; of a type it goes with that. */
const member: Step = (node, { node: blank }) => {
  if (node.parent()?.kind() === 'class_body') blank(node, ';');
};
const tokens =
  (...words: readonly string[]): Step =>
  (node, blanker) => {
    for (const child of node.children()) if (words.includes(String(child.kind()))) blanker.node(child);
  };
/** What comes behind the expression: `as T`, `satisfies T`, `!`. */
const behind: Step = (node, { blank }) => {
  const [first] = node.children();
  if (first !== undefined) blank(endOf(first), endOf(node));
};
/** One of a list, with the comma behind it. */
const listed: Step = (node, { node: blank }) => {
  blank(node);
  const next = node.next();
  if (next?.kind() === ',') blank(next);
};
const specifier: Step = (node, blanker) => {
  if (hasToken(node, 'type')) listed(node, blanker);
};

/** What becomes of each kind of node. */
const steps: Readonly<Record<string, Step>> = {
  type_annotation: whole,
  asserts_annotation: whole,
  type_predicate_annotation: whole,
  type_parameters: whole,
  type_arguments: whole,
  implements_clause: whole,
  accessibility_modifier: whole,
  override_modifier: whole,
  decorator: whole,
  interface_declaration: statement,
  type_alias_declaration: statement,
  ambient_declaration: statement,
  enum_declaration: statement,
  internal_module: statement,
  module: statement,
  function_signature: statement,
  abstract_method_signature: member,
  method_signature: member,
  index_signature: member,
  as_expression: behind,
  satisfies_expression: behind,
  non_null_expression: behind,
  import_specifier: specifier,
  export_specifier: specifier,
  optional_parameter: tokens('?', 'readonly'),
  required_parameter: (node, blanker) => {
    if (node.field('pattern')?.kind() === 'this') listed(node, blanker);
    else tokens('readonly')(node, blanker);
  },
  variable_declarator: tokens('!'),
  method_definition: tokens('?'),
  abstract_class_declaration: tokens('abstract'),
  public_field_definition: (node, blanker) => {
    if (hasToken(node, 'declare', 'abstract')) member(node, blanker);
    else tokens('readonly', '?', '!')(node, blanker);
  },
  import_statement: (node, { node: blank }) => {
    const isOfTypes =
      hasToken(node, 'type') || node.children().some((child) => child.kind() === 'import_require_clause');
    if (isOfTypes) blank(node, ';');
  },
  export_statement: (node, { node: blank }) => {
    if (hasToken(node, 'type', '=', 'as')) blank(node, ';');
  },
  import_alias: statement,
};

/** Between the parameters of an arrow function and its arrow no line may end; so the parenthesis goes behind the type. */
function closeBehindType(node: SgNode, out: string[]): void {
  const [parameters, type] = [node.field('parameters'), node.field('return_type')];
  if (parameters === null || type === null || !type.text().includes('\n')) return;
  out[endOf(parameters) - 1] = ' ';
  out[endOf(type) - 1] = ')';
}

function hasToken(node: SgNode, ...words: readonly string[]): boolean {
  return node.children().some((child) => words.includes(String(child.kind())));
}

function startOf(node: SgNode): number {
  return node.range().start.index;
}

function endOf(node: SgNode): number {
  return node.range().end.index;
}
