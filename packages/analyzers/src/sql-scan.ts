import type { Severity, Specialization } from '@switchyard/protocol';
import { analyzerLimits } from './analyzer-limits.ts';
import type { PlacedFinding } from './engine.ts';
import { sqlStatements, type SqlStatement } from './sql-statements.ts';

/** A check of one statement, with the others of its file around it. */
interface SqlCheck {
  readonly id: string;
  readonly specialization: Specialization;
  readonly severity: Severity;
  /** Only where a migration changes tables that have rows already: not on tables that the file makes. */
  readonly onOldTables?: RegExp;
  readonly statement: RegExp;
  readonly unless?: RegExp;
  /** Whether the rest of the file makes it right. */
  readonly unlessFile?: (file: readonly SqlStatement[], statement: string) => boolean;
  readonly message: string;
  readonly suggestion: string;
  readonly references?: readonly string[];
}

const name = String.raw`(?:IF (?:NOT )?EXISTS )?(?:ONLY )?((?:"[^"]{1,80}"|[\w$]{1,80})(?:\.(?:"[^"]{1,80}"|[\w$]{1,80}))?)`;
const alterTable = new RegExp(`^ALTER TABLE ${name} `, 'i');
const createTable = new RegExp(`^CREATE (?:UNLOGGED )?TABLE ${name}`, 'i');
const indexOn = new RegExp(`^CREATE (?:UNIQUE )?INDEX .{0,200}? ON ${name}`, 'i');

const has = (file: readonly SqlStatement[], pattern: RegExp): boolean =>
  file.some(({ text }) => pattern.test(text));
const tableOf = (pattern: RegExp, text: string): string => plain(pattern.exec(text)?.[1] ?? '');
const plain = (text: string): string =>
  text
    .replaceAll('"', '')
    .replace(/^public\./i, '')
    .toLowerCase();

export const sqlChecks: readonly SqlCheck[] = [
  {
    id: 'rls-missing',
    specialization: 'security',
    severity: 'major',
    statement: /^CREATE POLICY /i,
    unlessFile: (file, statement) => {
      const table = tableOf(new RegExp(`^CREATE POLICY .{1,120}? ON ${name}`, 'i'), statement);
      const isNew = file.some(({ text }) => tableOf(createTable, text) === table);
      return !isNew || has(file, /^ALTER TABLE .{1,200} (?:ENABLE|FORCE) ROW LEVEL SECURITY/i);
    },
    message: 'The policy is for a new table whose row-level security is not on; it holds nobody back.',
    suggestion: 'Add ALTER TABLE … ENABLE ROW LEVEL SECURITY.',
    references: ['CWE-862'],
  },
  {
    id: 'rls-off',
    specialization: 'security',
    severity: 'major',
    statement: /^ALTER TABLE .{1,200} (?:DISABLE|NO FORCE) ROW LEVEL SECURITY/i,
    message: 'Row-level security is switched off; whoever may read the table reads every row.',
    suggestion: 'Leave it on, and write a policy for who needs more.',
    references: ['CWE-862'],
  },
  {
    id: 'policy-for-everybody',
    specialization: 'security',
    severity: 'major',
    statement: /^CREATE POLICY .{1,300}(?:USING|WITH CHECK) ?\( ?true ?\)/i,
    unless: / FOR SELECT /i,
    message: 'The policy lets everybody change every row.',
    suggestion: 'Compare the row with who asks.',
    references: ['CWE-863'],
  },
  {
    id: 'definer-path',
    specialization: 'security',
    severity: 'major',
    statement: /\bSECURITY DEFINER\b/i,
    unless: /\bSET search_path\b/i,
    message: "The function has its owner's rights, and looks names up where its caller says.",
    suggestion: 'Add SET search_path = …, pg_temp.',
    references: ['CWE-426'],
  },
  {
    id: 'execute-built',
    specialization: 'security',
    severity: 'major',
    statement: /\bEXECUTE\s{1,9}(?:'(?:[^']|'')*'\s{0,9}\|\||format\s{0,9}\(\s{0,9}'[^']{0,500}%s)/i,
    unless: /\|\|\s{0,9}quote_(?:ident|literal)\s{0,9}\(/i,
    message: 'A statement is put together from text and executed; whoever gives the text says what is done.',
    suggestion: 'Hand values over by USING, names by format with %I.',
    references: ['CWE-89'],
  },
  {
    id: 'grant-to-all',
    specialization: 'security',
    severity: 'major',
    statement: /^GRANT (?:ALL|.{0,80}(?:INSERT|UPDATE|DELETE|TRUNCATE)).{1,200} TO (?:PUBLIC|anon)\b/i,
    message: 'Everybody who can connect may change this.',
    suggestion: 'Give each role what it needs, by name.',
    references: ['CWE-732'],
  },
  {
    id: 'role-password',
    specialization: 'security',
    severity: 'critical',
    statement: /^(?:CREATE|ALTER) (?:ROLE|USER) .{1,200}\bPASSWORD '[^']/i,
    message: 'A password stands in the file; whoever can read the repository has it.',
    suggestion: 'Set it outside of the repository, and replace this one.',
    references: ['CWE-798'],
  },
  {
    id: 'index-locks-writes',
    specialization: 'performance',
    severity: 'minor',
    statement: /^CREATE (?:UNIQUE )?INDEX /i,
    unless: /^CREATE (?:UNIQUE )?INDEX CONCURRENTLY /i,
    onOldTables: indexOn,
    message: 'While the index is built, nobody can write to the table.',
    suggestion: 'CREATE INDEX CONCURRENTLY, outside of a transaction.',
  },
  {
    id: 'concurrently-in-transaction',
    specialization: 'integration',
    severity: 'major',
    statement: /^(?:CREATE (?:UNIQUE )?|DROP |RE)INDEX CONCURRENTLY /i,
    unlessFile: (file) => !has(file, /^(?:BEGIN|START TRANSACTION)\b/i),
    message: 'CONCURRENTLY cannot run inside a transaction; the migration fails.',
    suggestion: 'Put it into a migration of its own, without BEGIN.',
  },
  {
    id: 'constraint-validated-at-once',
    specialization: 'performance',
    severity: 'minor',
    statement: /^ALTER TABLE .{1,200} ADD CONSTRAINT .{1,200} (?:FOREIGN KEY|CHECK) ?\(/i,
    unless: /\bNOT VALID\b/i,
    onOldTables: alterTable,
    message: 'The constraint is checked on every row while the table is locked.',
    suggestion: 'Add it NOT VALID, and VALIDATE CONSTRAINT in a later migration.',
  },
  {
    id: 'not-null-without-default',
    specialization: 'integration',
    severity: 'major',
    statement: /^ALTER TABLE .{1,200} ADD (?:COLUMN )?.{1,200} NOT NULL\b/i,
    unless: /\bDEFAULT\b|\bGENERATED\b|\bADD CONSTRAINT\b/i,
    onOldTables: alterTable,
    message: 'A table with rows refuses a new column that has to be given and has no default.',
    suggestion: 'Give it a default, or add it empty, fill it, then SET NOT NULL.',
  },
  {
    id: 'column-dropped',
    specialization: 'integration',
    severity: 'minor',
    statement: /^ALTER TABLE .{1,200} DROP COLUMN /i,
    onOldTables: alterTable,
    message:
      'The program that still runs while this migrates reads the column; it breaks, and the data is gone.',
    suggestion: 'Stop using it in one release, and drop it in the next.',
  },
  {
    id: 'column-renamed',
    specialization: 'integration',
    severity: 'minor',
    statement: /^ALTER TABLE .{1,200} RENAME (?:COLUMN .{1,120} )?TO /i,
    onOldTables: alterTable,
    message: 'The program that still runs while this migrates knows the old name only.',
    suggestion: 'Add the new name beside the old, move over, then drop the old one.',
  },
  {
    id: 'type-rewrites-table',
    specialization: 'performance',
    severity: 'minor',
    statement: /^ALTER TABLE .{1,200} ALTER (?:COLUMN )?.{1,120} (?:SET DATA )?TYPE /i,
    unless: / TYPE (?:text|varchar|character varying)\b/i,
    onOldTables: alterTable,
    message: 'Every row is written anew while the table is locked.',
    suggestion: 'Add a new column, fill it in batches, and move over.',
  },
  {
    id: 'every-row-written',
    specialization: 'performance',
    severity: 'minor',
    statement: /^(?:UPDATE .{1,200} SET |DELETE FROM )/i,
    unless: /\bWHERE\b/i,
    message: 'Every row is written in one go, and locked until its end.',
    suggestion: 'Go in batches by key, and leave out what is right already.',
  },
  {
    id: 'foreign-key-without-index',
    specialization: 'performance',
    severity: 'minor',
    statement: /^CREATE (?:UNLOGGED )?TABLE .{1,200}?\(.{0,4000}\bREFERENCES\b/i,
    unlessFile: (file, statement) => {
      const table = tableOf(createTable, statement);
      return file.some(({ text }) => tableOf(indexOn, text) === table);
    },
    unless: /\b\w{1,80} [\w ()]{1,80}(?:PRIMARY KEY|UNIQUE)[^,]{0,80}REFERENCES/i,
    message: 'The referencing column has no index; each delete of what it refers to reads the whole table.',
    suggestion: 'Create an index on it.',
  },
  {
    id: 'key-runs-out',
    specialization: 'performance',
    severity: 'minor',
    statement: /^CREATE (?:UNLOGGED )?TABLE .{1,200}?\(.{0,2000}?\b(?:small)?serial PRIMARY KEY/i,
    message: 'The key ends at two thousand million rows; then nothing can be written any more.',
    suggestion: 'Use bigserial, or bigint GENERATED ALWAYS AS IDENTITY.',
  },
  {
    id: 'offset-pages',
    specialization: 'performance',
    severity: 'minor',
    statement: /\bOFFSET (?:\$\d|:\w|\?|@\w)/i,
    message: 'All rows before the page are read and thrown away: page 1,000 costs a thousand times page 1.',
    suggestion: 'Go on from the last key: WHERE id > … ORDER BY id LIMIT ….',
  },
  {
    id: 'leading-wildcard',
    specialization: 'performance',
    severity: 'minor',
    statement: /\bI?LIKE '%/i,
    message: 'A pattern that begins with % cannot use an index; the whole table is read.',
    suggestion: 'Search by beginning, or with a trigram or full-text index.',
  },
  {
    id: 'order-by-random',
    specialization: 'performance',
    severity: 'minor',
    statement: /\bORDER BY (?:random|rand) ?\(/i,
    message: 'Every row is read and sorted for the few that are wanted.',
    suggestion: 'Begin at a random key, or use TABLESAMPLE.',
  },
  {
    id: 'shadow-without-version',
    specialization: 'integration',
    severity: 'minor',
    statement: /^CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(?:"?shadow"?\.|"?\w{1,80}_shadow\b)/i,
    unless: /\bsource_version\b/i,
    message:
      'The copy does not say which version of its source it has; an older write can overwrite a newer one.',
    suggestion: 'Add source_version, and write only where it grows.',
  },
];

/** Signs of databases that have no such locks, or no such words. */
const otherDialect = /\b(?:AUTOINCREMENT|AUTO_INCREMENT|ENGINE ?= ?InnoDB|PRAGMA|WITHOUT ROWID)\b|`/i;

/** Runs the SQL checks of some specializations over one text. */
export function scanSql(
  source: { readonly path: string; readonly text: string },
  specializations: readonly Specialization[],
): PlacedFinding[] {
  if (!/\.sql$/i.test(source.path)) return [];
  const mine = sqlChecks.filter((check) => specializations.includes(check.specialization));
  if (mine.length === 0) return [];
  const file = sqlStatements(source.text);
  const made = new Set(file.map(({ text }) => tableOf(createTable, text)).filter((table) => table !== ''));
  const isOther = otherDialect.test(source.text) || /sqlite|mysql|mariadb|libsql/i.test(source.path);
  const fits = (check: SqlCheck, text: string): boolean => {
    if (!check.statement.test(text) || check.unless?.test(text) === true) return false;
    if (check.onOldTables !== undefined && (isOther || made.has(tableOf(check.onOldTables, text))))
      return false;
    return check.unlessFile?.(file, text) !== true;
  };
  return mine.flatMap((check) =>
    file
      .filter(({ text }) => fits(check, text.slice(0, 20_000)))
      .slice(0, analyzerLimits.scanFindingsPerRule)
      .map(({ line, endLine }) => ({
        severity: check.severity,
        category: check.specialization,
        file: source.path,
        line,
        endLine,
        description: check.message,
        suggestion: check.suggestion,
        references: [...(check.references ?? [])],
        rule: `sql/${check.id}`,
      })),
  );
}
