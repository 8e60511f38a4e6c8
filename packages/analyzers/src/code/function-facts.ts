import type { SgNode } from '@ast-grep/napi';
import type { FunctionFact } from './file-facts.ts';
import { endLineOf, lineOf, nodesOf } from './nodes.ts';

const functionKinds = [
  'function_declaration',
  'generator_function_declaration',
  'function_expression',
  'generator_function',
  'arrow_function',
  'method_definition',
] as const;
const classKinds = ['class_declaration', 'abstract_class_declaration', 'class'] as const;

/** What adds a way through a function, as oxlint's `complexity` counts: a `switch` is one, whatever its cases. */
const branchKinds = [
  'if_statement',
  'ternary_expression',
  'for_statement',
  'for_in_statement',
  'while_statement',
  'do_statement',
  'switch_statement',
  'catch_clause',
  'optional_chain',
  'assignment_pattern',
  'object_assignment_pattern',
] as const;

interface Scope {
  readonly name: string;
  readonly end: number;
  readonly fact?: { complexity: number };
}

/** The functions of a source that have a name, with how many ways lead through each; what is inside another counts for itself. */
export function readFunctions(root: SgNode): FunctionFact[] {
  const isFunction = setOf(functionKinds);
  const isClass = setOf(classKinds);
  const nodes = nodesOf(
    root,
    ...functionKinds,
    ...classKinds,
    ...branchKinds,
    'binary_expression',
    'augmented_assignment_expression',
    'required_parameter',
  ).map((node) => ({ node, kind: String(node.kind()), range: node.range() }));
  nodes.sort((a, b) => a.range.start.index - b.range.start.index || b.range.end.index - a.range.end.index);
  const found: FunctionFact[] = [];
  const seen = new Map<string, number>();
  const open: Scope[] = [];
  for (const { node, kind, range } of nodes) {
    while ((open.at(-1)?.end ?? Infinity) <= range.start.index) open.pop();
    const end = range.end.index;
    if (isClass(kind)) open.push({ name: nameOf(node), end });
    else if (isFunction(kind)) {
      const name = nameOf(node);
      const path = [...open.map((scope) => scope.name), name].filter((part) => part !== '').join('.');
      const fact = { name: path, line: lineOf(node), endLine: endLineOf(node), complexity: 1, nth: 0 };
      open.push({ name, end, fact });
      if (name === '') continue;
      fact.nth = (seen.get(path) ?? 0) + 1;
      seen.set(path, fact.nth);
      found.push(fact);
    } else if (isBranch(node, kind)) {
      const around = open.findLast(({ fact }) => fact !== undefined)?.fact;
      if (around !== undefined) around.complexity += 1;
    }
  }
  return found;
}

function setOf(kinds: readonly string[]): (kind: string) => boolean {
  const all = new Set(kinds);
  return (kind) => all.has(kind);
}

function isBranch(node: SgNode, kind: string): boolean {
  switch (kind) {
    case 'binary_expression':
      return /^(&&|\|\||\?\?)$/.test(node.field('operator')?.text() ?? '');
    case 'augmented_assignment_expression':
      return /^(&&=|\|\|=|\?\?=)$/.test(node.field('operator')?.text() ?? '');
    case 'required_parameter':
      return node.field('value') !== null;
    default:
      return true;
  }
}

/** Its own name, or that of what it is put into; empty where it has none. */
function nameOf(node: SgNode): string {
  const own = node.field('name')?.text();
  if (own !== undefined) return own;
  const parent = node.parent();
  switch (String(parent?.kind())) {
    case 'variable_declarator':
    case 'public_field_definition':
      return parent?.field('name')?.text() ?? '';
    case 'pair':
      return parent?.field('key')?.text() ?? '';
    case 'assignment_expression':
      return parent?.field('left')?.text().replace(/\s+/g, '').slice(0, 200) ?? '';
    default:
      return '';
  }
}
