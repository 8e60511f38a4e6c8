#!/usr/bin/env node
// Checks the version of Node, teaches it TypeScript, and hands over to src/main.ts, all in this one process, so
// that signals and exit codes are those of the program itself. Works from any folder and through links: Node
// resolves this file to its real place first.
import { fileURLToPath } from 'node:url';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `error E_CONFIG: Node ${process.versions.node} is too old for Switchyard\n  fix: install Node 20.19 or newer, for example with: npx -p node@24 switchyard\n`,
  );
  process.exit(4);
}

// Of the folder it is called in, tsx would read a tsconfig.json that is none of ours.
const tsconfig = fileURLToPath(new URL('../tsconfig.json', import.meta.url));
process.env.TSX_TSCONFIG_PATH ??= tsconfig;
const { register } = await import('tsx/esm/api');
register({ tsconfig });
await import('../src/main.ts');
