// docs/licences.md: the licence of every package that package-lock.json installs, held against the policy in
// licence-policy.json. A licence that the policy does not allow ends this with exit code 1.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { table, writePage } from './page.mjs';

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const policy = JSON.parse(readFileSync(new URL('licence-policy.json', import.meta.url), 'utf8'));

const rows = Object.entries(lock.packages)
  .filter(([path, entry]) => path.includes('node_modules/') && entry.link !== true)
  .map(([path, entry]) => ({
    name: path.split('node_modules/').at(-1),
    version: entry.version,
    licence: entry.license ?? installedLicence(path),
    optional: entry.optional === true,
  }));

// What was never installed on this platform cannot tell its licence.
const refused = rows.filter(
  ({ licence, optional }) => !isAllowed(licence) && !(licence === 'unknown' && optional),
);
if (refused.length > 0) {
  for (const { name, version, licence } of refused.slice(0, 20))
    console.error(`${name} ${version}: the policy does not allow ${licence}`);
  console.error(
    `${refused.length} packages have a licence that tools/examples/self-report/licence-policy.json does not allow`,
  );
  process.exit(1);
}

const byLicence = groupByLicence();
writePage('docs/licences.md', [
  '# Licences of what we depend on',
  '',
  `${rows.length} packages, ${byLicence.size} licences, all allowed by the policy.`,
  '',
  ...table(
    ['licence', 'packages'],
    [...byLicence].map(([licence, each]) => [licence, each.length]).sort((a, b) => b[1] - a[1]),
  ),
  '',
  ...table(
    ['package', 'version', 'licence'],
    rows.map((row) => [row.name, row.version, row.licence]),
  ),
]);

function installedLicence(path) {
  const file = join(path, 'package.json');
  if (!existsSync(file)) return 'unknown';
  const { license } = JSON.parse(readFileSync(file, 'utf8'));
  return typeof license === 'string' ? license : (license?.type ?? 'unknown');
}

/** An expression such as `(MIT OR CC0-1.0)` is allowed when one side of each AND is. */
function isAllowed(expression) {
  return expression
    .replace(/[()]/g, '')
    .split(/ AND /)
    .every((part) => part.split(/ OR /).some((name) => policy.allowed.includes(name.trim())));
}

function groupByLicence() {
  const groups = new Map();
  for (const row of rows) groups.set(row.licence, [...(groups.get(row.licence) ?? []), row]);
  return groups;
}
