// docs/graph/: which of our packages use which, as Mermaid text and as a page.
import { readFileSync } from 'node:fs';
import { table, writePage } from './page.mjs';

const packages = JSON.parse(readFileSync('docs/packages.json', 'utf8'));
const shortOf = new Map(packages.map((each) => [each.name, each.short]));
const edges = packages.flatMap((each) => each.uses.map((name) => [each.short, shortOf.get(name) ?? name]));
const layers = [...new Set(packages.map((each) => each.layer))];

const drawing = [
  'graph TD',
  ...layers.flatMap((layer) => [
    `  subgraph ${layer}`,
    ...packages.filter((each) => each.layer === layer).map((each) => `    ${each.short}`),
    '  end',
  ]),
  ...edges.map(([from, to]) => `  ${from} --> ${to}`),
];
writePage('docs/graph/dependencies.mmd', drawing);
writePage('docs/graph/README.md', [
  '# Who uses whom',
  '',
  `${packages.length} packages and apps, ${edges.length} dependencies between them.`,
  '',
  '```mermaid',
  ...drawing,
  '```',
  '',
  ...table(
    ['package', 'layer', 'uses', 'used by'],
    packages.map((each) => [
      each.short,
      each.layer,
      each.uses.map((name) => shortOf.get(name) ?? name).join(', '),
      edges
        .filter(([, to]) => to === each.short)
        .map(([from]) => from)
        .join(', '),
    ]),
  ),
]);
