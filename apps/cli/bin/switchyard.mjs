#!/usr/bin/env node
// Checks the version of Node and hands over to src/main.ts, all in this one process, so that signals and exit codes
// are those of the program itself. Works from any folder and through links: Node resolves this file to its real
// place first.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `error E_CONFIG: Node ${process.versions.node} is too old for Switchyard\n  fix: install Node 20.19 or newer, for example with: npx -p node@24 switchyard\n`,
  );
  process.exit(4);
}

const { runProgram } = await import('../../../tools/program/run.mjs');
await runProgram('apps/cli/src/main.ts');
