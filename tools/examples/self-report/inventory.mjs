// docs/packages.json: what the other tasks of this plan start from.
import { sourceFiles, workspacePackages } from './workspace-packages.mjs';
import { writePage } from './page.mjs';

const packages = workspacePackages().map((each) => ({
  ...each,
  sources: sourceFiles(`${each.folder}/src`),
  tests: sourceFiles(`${each.folder}/test`),
}));
writePage('docs/packages.json', [JSON.stringify(packages, undefined, 2)]);
