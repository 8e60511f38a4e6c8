import type { SgNode } from '@ast-grep/napi';
import type { ImportFact } from './file-facts.ts';
import { lineOf, nodesOf, stringOf } from './nodes.ts';

/** What a module takes from others: imports, names passed on, `import()` and `require` of fixed names. */
export function readImports(root: SgNode): ImportFact[] {
  const statements = nodesOf(root, 'import_statement', 'export_statement').flatMap((node) => {
    const from = stringOf(node.field('source'));
    if (from === undefined) return [];
    return [
      {
        from,
        names: namesOf(node),
        line: lineOf(node),
        isTypeOnly: /^(import|export)\s+type\b/.test(node.text()),
      },
    ];
  });
  const calls = root
    .findAll({ rule: { kind: 'call_expression', has: { field: 'function', regex: '^(require|import)$' } } })
    .flatMap((node) => {
      const from = stringOf(node.field('arguments')?.child(1) ?? null);
      return from === undefined || from.includes('${')
        ? []
        : [{ from, names: [], line: lineOf(node), isTypeOnly: false }];
    });
  return [...statements, ...calls];
}

function namesOf(statement: SgNode): string[] {
  const named = nodesOf(statement, 'import_specifier', 'export_specifier').map(
    (node) => node.field('name')?.text() ?? '',
  );
  const clause = nodesOf(statement, 'import_clause')[0];
  const isDefault = clause?.children().some((child) => child.kind() === 'identifier') === true;
  const isWhole = nodesOf(statement, 'namespace_import').length > 0 || /^export\s*\*/.test(statement.text());
  return [...named, ...(isDefault ? ['default'] : []), ...(isWhole ? ['*'] : [])];
}
