import type { SgNode } from '@ast-grep/napi';
import type { ExportFact } from './file-facts.ts';
import { endLineOf, lineOf, nodesOf, stringOf } from './nodes.ts';

/** What a module offers: `export` in all its forms, and `exports.name =`. */
export function readExports(root: SgNode): ExportFact[] {
  const modern = root
    .children()
    .filter((node) => node.kind() === 'export_statement')
    .flatMap(ofStatement);
  const old = root
    .findAll({
      rule: {
        kind: 'assignment_expression',
        has: { field: 'left', regex: '^(module\\.)?exports\\.\\w+$' },
      },
    })
    .flatMap((node) => {
      const name = /\w+$/.exec(node.field('left')?.text() ?? '')?.[0];
      return name === undefined ? [] : [{ name, ...placeOf(node), ...ofValue(node.field('right')) }];
    });
  return [...modern, ...old];
}

function placeOf(node: SgNode): { line: number; endLine: number } {
  return { line: lineOf(node), endLine: endLineOf(node) };
}

function ofStatement(node: SgNode): ExportFact[] {
  const declaration = node.field('declaration');
  if (declaration !== null) {
    const isDefault = /^export\s+default\b/.test(node.text());
    return ofDeclaration(declaration).map((fact) => ({
      ...fact,
      ...placeOf(node),
      ...(isDefault && { name: 'default' }),
    }));
  }
  const names = nodesOf(node, 'export_specifier').map(
    (one) => one.field('alias')?.text() ?? one.field('name')?.text() ?? '',
  );
  if (names.length > 0) return names.map((name) => ({ name, ...placeOf(node), kind: 'passed-on' as const }));
  const value = node.field('value');
  return value === null ? [] : [{ name: 'default', ...placeOf(node), ...ofValue(value) }];
}

type Bare = Omit<ExportFact, 'line' | 'endLine'>;

function ofDeclaration(node: SgNode): Bare[] {
  const name = node.field('name')?.text() ?? 'default';
  switch (String(node.kind())) {
    case 'function_declaration':
    case 'generator_function_declaration':
    case 'function_signature':
      return [{ name, kind: 'function', ...parametersOf(node) }];
    case 'class_declaration':
    case 'abstract_class_declaration':
      return [{ name, kind: 'class' }];
    case 'interface_declaration':
      return [{ name, kind: 'type', ...membersOf(node.field('body')) }];
    case 'type_alias_declaration':
      return [{ name, kind: 'type', ...membersOf(node.field('value')) }];
    case 'enum_declaration':
      return [
        {
          name,
          kind: 'value',
          values: nodesOf(node, 'enum_assignment', 'property_identifier').map((one) =>
            (one.field('name') ?? one).text(),
          ),
        },
      ];
    case 'lexical_declaration':
    case 'variable_declaration':
      return node
        .children()
        .filter((child) => child.kind() === 'variable_declarator')
        .map((child) => ({ name: child.field('name')?.text() ?? '', ...ofValue(child.field('value')) }));
    default:
      return [{ name, kind: 'value' }];
  }
}

function ofValue(value: SgNode | null): Omit<Bare, 'name'> {
  const kind = String(value?.kind());
  if (value !== null && (kind === 'arrow_function' || kind === 'function_expression'))
    return { kind: 'function', ...parametersOf(value) };
  if (value !== null && kind === 'as_expression' && value.text().endsWith(' as const')) {
    const list = value.child(0);
    if (list?.kind() === 'array')
      return { kind: 'value', values: list.children().flatMap((item) => stringOf(item) ?? []) };
  }
  return { kind: 'value' };
}

function parametersOf(node: SgNode): { required: number; parameters: number } {
  const parameters = (node.field('parameters')?.children() ?? []).filter((child) =>
    ['required_parameter', 'optional_parameter'].includes(String(child.kind())),
  );
  const single = node.field('parameter') === null ? 0 : 1;
  const required = parameters.filter(
    (child) =>
      child.kind() === 'required_parameter' &&
      child.field('value') === null &&
      !child.text().startsWith('...') &&
      !child.text().startsWith('this:'),
  );
  return { required: required.length + single, parameters: parameters.length + single };
}

function membersOf(body: SgNode | null): { members: { name: string; isOptional: boolean }[] } | undefined {
  if (body === null || !['interface_body', 'object_type'].includes(String(body.kind()))) return undefined;
  const members = body
    .children()
    .filter((child) => ['property_signature', 'method_signature'].includes(String(child.kind())))
    .map((child) => ({
      name: child.field('name')?.text() ?? '',
      isOptional: child.children().some((part) => part.text() === '?'),
    }));
  return { members };
}
