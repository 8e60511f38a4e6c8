import { createRequire } from 'node:module';
import { analyze, staticEngines, type AnalysisRequest, type Engine } from '@switchyard/analyzers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { blankTypes } from '../src/lint/blank-types.ts';
import { securityLintRules } from '../src/lint/security-rules.ts';
import { baseOf, MadeTree } from './made-tree.ts';
import { plainScan } from './plain-run.ts';

const require = createRequire(import.meta.url);
let engines: readonly Engine[] = [];
let tree: MadeTree;
beforeAll(() => {
  engines = staticEngines({ start: plainScan, isShared: true });
});
afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
});
beforeEach(() => {
  tree = new MadeTree();
});
afterEach(() => tree.close());

/** What the linter says of a text, by rule and line. */
async function lint(text: string, more: Partial<AnalysisRequest> = {}, path = 'src/a.ts') {
  const request = tree.request([tree.put(path, text)], { specializations: ['security'], ...more });
  const { findings } = await analyze(engines, request);
  return findings.flatMap(({ rule = '', line }) =>
    rule.startsWith('eslint-plugin-security/') ? [`${rule.replace(/.*\//, '')}:${line}`] : [],
  );
}

/** A text for each rule; those of the deeper set are not looked for unless asked. */
const examples: Readonly<Record<string, string>> = {
  'detect-bidi-characters': 'const a = "x\u202E";\n',
  'detect-buffer-noassert': 'buffer.readUInt8(0, true);\n',
  'detect-child-process': 'import { exec } from "node:child_process";\nexec(line);\n',
  'detect-disable-mustache-escape': 'engine.escapeMarkup = false;\n',
  'detect-eval-with-expression': 'eval(code);\n',
  'detect-invisible-characters': 'const a = "\u3164";\n',
  'detect-new-buffer': 'new Buffer(size);\n',
  'detect-no-csrf-before-method-override': 'express.csrf();\nexpress.methodOverride();\n',
  'detect-non-literal-fs-filename': 'import { readFile } from "node:fs";\nreadFile(path);\n',
  'detect-non-literal-regexp': 'new RegExp(text);\n',
  'detect-non-literal-require': 'require(name);\n',
  'detect-object-injection': 'thing[name] = value;\n',
  'detect-possible-timing-attacks': 'if (password === given) enter();\n',
  'detect-pseudoRandomBytes': 'crypto.pseudoRandomBytes(8);\n',
  'detect-unsafe-regex': 'const a = /(x+x+)+y/;\n',
};
/** What one of our own rules says of the same line, so the linter need not. */
const saidByOurs = ['detect-bidi-characters', 'detect-eval-with-expression'];

describe('eslint-plugin-security', () => {
  it('has each of its rules in our table', () => {
    const plugin = require('eslint-plugin-security') as { readonly rules: object };
    expect(Object.keys(securityLintRules).sort()).toEqual(Object.keys(plugin.rules).sort());
    expect(Object.keys(examples).sort()).toEqual(Object.keys(plugin.rules).sort());
  });

  it.each(Object.entries(examples))('finds by %s, at once or where more is asked for', async (rule, text) => {
    const mine = (found: readonly string[]): boolean => found.some((one) => one.startsWith(`${rule}:`));
    const isOfDeeperSet = securityLintRules[rule]?.hint === undefined;
    expect(mine(await lint(text, { deep: true }))).toBe(!saidByOurs.includes(rule));
    expect(mine(await lint(text))).toBe(!isOfDeeperSet && !saidByOurs.includes(rule));
  });

  it('says its weakness, and what a comment in the source turns off', async () => {
    const text = '/* eslint-disable */\nrequire(name); // eslint-disable-line\n';
    const request = tree.request([tree.put('src/a.js', text)], { specializations: ['security'] });
    const { findings } = await analyze(engines, request);
    const found = findings.find(({ rule }) => rule === 'eslint-plugin-security/detect-non-literal-require');
    expect(found).toMatchObject({ severity: 'minor', file: 'src/a.js', line: 2 });
    expect(found?.references).toContain('CWE-95');
  });

  it('reads no configuration of the tree', async () => {
    tree.put('eslint.config.mjs', 'throw new Error("read");\n');
    tree.put('.eslintrc.json', '{ "root": true, "rules": {} }');
    expect(await lint('require(name);\n')).toEqual(['detect-non-literal-require:1']);
  });

  it('leaves tests alone, unless more is asked for, also by the policy of the base', async () => {
    const [text, path] = ['require(name);\n', 'src/a.test.ts'];
    expect(await lint(text, {}, path)).toEqual([]);
    const base = baseOf({ '.switchyard/review.yml': 'deep: true\n' });
    expect(await lint(text, { base }, path)).toEqual(['detect-non-literal-require:1']);
    expect(await lint(text, { base, deep: false }, path)).toEqual([]);
  });

  it('speaks of the line of the source, whatever types stand before', async () => {
    const text = `// 😀 an emoji is two units
interface A { b(): void }
enum B { C }
export abstract class D<T> extends Z<T> implements A { declare e: T; constructor(private readonly f: T) { super(); } abstract g(): void; b(this: D<T>): void {} }
const h = <T,>(i: T): {
  j: T;
} => require(i as unknown as string)!;
`;
    expect(await lint(text)).toEqual(['detect-non-literal-require:7']);
  });

  it.each(['a.js', 'a.jsx', 'a.cjs', 'a.tsx'])('reads %s', async (name) => {
    const text = name.endsWith('x') ? 'const a = <b c={require(d)} />;\n' : 'return require(d);\n';
    expect(await lint(text, {}, `src/${name}`)).toEqual(['detect-non-literal-require:1']);
  });

  it('says which file it could not read', async () => {
    expect(await lint('require(name) = = ;\n')).toEqual(['left-out:undefined']);
  });
});

describe('a text whose types are blanked', () => {
  it.each([
    ['let a!: B<C>, d = <E>f', 'let a       , d =    f'],
    ['import type { A } from "a"; import { type B, c } from "b";', ' c } from "b";'],
    ['export type { A } from "a"; export { type B, c };', ' c };'],
    ['const a = b\ninterface C { d(): void }\n(e)()', 'const a = b\n;'],
    ['class A { a?: B; c(d?: E): asserts d is F; c(d: any) {} }', 'class A { a'],
    ['declare module "a" { export const b: number }', ';'],
    ['export default function a(this: B, c?: D): c is E { return c satisfies F as G }', '{ return c '],
    ['import a = require("b"); export = a;', ';'],
    ['namespace A.B { export const c = 1 }', ';'],
  ])('%s', (text, part) => {
    const blanked = blankTypes(text, 'TypeScript');
    expect(blanked).toHaveLength(text.length);
    expect(blanked).toContain(part);
    expect(blanked).not.toMatch(/\b(B<C>|interface|type|declare|satisfies|asserts|namespace|this)\b/);
  });
});
