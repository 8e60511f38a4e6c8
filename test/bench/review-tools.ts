import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  analyze,
  baseTreeOf,
  sandboxedScan,
  staticEngines,
  type Engine,
  type RunCommand,
} from '@switchyard/analyzers';
import { openSandbox } from '@switchyard/guard';
import { AppError } from '@switchyard/protocol';
import { silentLogger, systemClock } from '@switchyard/runtime';
import { transform } from 'esbuild';
import { ESLint, type Linter } from 'eslint';
import type { Side } from './review-sides.ts';

const require = createRequire(import.meta.url);

/** The sides of pairs that a tool had something to say on. */
export type Spoken = ReadonlySet<Side>;

const run: RunCommand = (argv, cwd) =>
  new Promise((resolve) => {
    const [file = '', ...rest] = argv;
    execFile(file, rest, { cwd, maxBuffer: 256 * 1024 * 1024 }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : 128;
      resolve({ exitCode, stdout, stderr });
    });
  });

/** The name of our linter where it looks with all of its rules. */
export const deepName = 'eslint-plugin-security --deep';

/** What each of our engines says of each side, asked for the specialization of its pair. */
export async function ourEngines(sides: readonly Side[]): Promise<Map<string, Spoken>> {
  const sandbox = await openSandbox({ mode: 'auto', logger: silentLogger(), clock: systemClock });
  const engines = staticEngines({ start: sandboxedScan(sandbox), isShared: true });
  try {
    const spoken = new Map<string, Spoken>();
    for (const engine of engines) {
      const heard = new Set<Side>();
      for (const side of sides) if (await speaks(engine, side)) heard.add(side);
      spoken.set(engine.name, heard);
      if (engine.name !== 'eslint-plugin-security') continue;
      const deeper = new Set<Side>();
      for (const side of sides) if (await speaks(engine, side, true)) deeper.add(side);
      spoken.set(deepName, deeper);
    }
    return spoken;
  } finally {
    for (const engine of engines) await engine.close();
    await sandbox.close();
  }
}

async function speaks(engine: Engine, side: Side, deep = false): Promise<boolean> {
  const { root, file, pair, before, isFlawed } = side;
  const base = baseTreeOf((path) => {
    const text = path === pair.path ? before : pair.with[path];
    return text === undefined
      ? Promise.reject(new AppError('E_NOT_FOUND', path))
      : Promise.resolve(Buffer.from(text));
  });
  const { findings } = await analyze([engine], {
    root,
    // Where nothing differs there is no change to look at.
    files: before === (isFlawed ? pair.flawed : pair.good) ? [] : [file],
    specializations: [pair.specialization],
    base,
    deep,
    run,
    signal: new AbortController().signal,
  });
  return findings.some(({ rule }) => rule?.endsWith('/left-out') !== true);
}

/** oxlint as it comes, or with more categories. */
export async function oxlintAlone(root: string, sides: readonly Side[], options: string[]): Promise<Spoken> {
  const program = join(dirname(require.resolve('oxlint/package.json')), 'bin', 'oxlint');
  const { stdout } = await run(
    [process.execPath, program, ...options, '--no-ignore', '--format', 'json', root],
    root,
  );
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { filename: string }[] };
  const names = new Set(diagnostics.map(({ filename }) => join(root, filename)));
  return new Set(sides.filter((side) => names.has(side.place)));
}

/** eslint-plugin-security with its recommended rules; types are taken away first, which it does not read. */
export async function eslintSecurity(sides: readonly Side[]): Promise<Spoken> {
  const plugin = require('eslint-plugin-security') as { configs: { recommended: Linter.Config } };
  const eslint = new ESLint({
    overrideConfigFile: true,
    overrideConfig: [{ files: ['**/*.js', '**/*.jsx'] }, plugin.configs.recommended],
  });
  const heard = new Set<Side>();
  for (const side of sides) {
    if (!/\.[cm]?[jt]sx?$/.test(side.place)) continue;
    const { code } = await transform(readFileSync(side.place, 'utf8'), {
      loader: 'tsx',
      jsx: 'transform',
      target: 'esnext',
    }).catch(() => ({ code: '' })); // does not parse: nothing to say
    const [result] = await eslint.lintText(code, { filePath: 'thing.js' });
    if ((result?.messages ?? []).some(({ ruleId }) => ruleId?.startsWith('security/') === true))
      heard.add(side);
  }
  return heard;
}
