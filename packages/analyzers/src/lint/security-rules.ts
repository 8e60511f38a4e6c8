import type { Severity } from '@switchyard/protocol';
import { isOfKind } from '../path-kind.ts';

/** What the engine is called, and its rules begin with. */
export const lintEngineName = 'eslint-plugin-security';

/** What a rule of eslint-plugin-security means in a review. */
export interface LintRule {
  readonly severity: Severity;
  readonly weakness: string;
  readonly description: string;
  readonly suggestion: string;
  /** Text without a match has nothing for it, so nobody parses it. Absent: it is of the deeper set alone. */
  readonly hint?: RegExp;
}

/**
 * The rules of eslint-plugin-security by name; a test holds both together. None rejects: they see patterns, no flow. Those
 * without a hint are of the deeper set: on code that is in order they speak a thousand times (figures in DESIGN.md).
 */
export const securityLintRules: Readonly<Record<string, LintRule>> = {
  'detect-bidi-characters': {
    severity: 'minor',
    weakness: 'CWE-1007',
    description: 'Characters that turn the direction of writing make the code look like other code.',
    suggestion: 'Take them out, or write them as escapes.',
    hint: /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/,
  },
  'detect-buffer-noassert': {
    severity: 'minor',
    weakness: 'CWE-119',
    description: 'A buffer is read or written without a check of its bounds (noAssert).',
    suggestion: 'Leave the flag out.',
    hint: /\b(?:read|write)(?:U?Int|Float|Double)/,
  },
  'detect-child-process': {
    severity: 'minor',
    weakness: 'CWE-78',
    description: 'A command for a shell is not a literal.',
    suggestion: 'Call execFile or spawn with a list of arguments, without a shell.',
    hint: /\bchild_process\b/,
  },
  'detect-disable-mustache-escape': {
    severity: 'minor',
    weakness: 'CWE-79',
    description: 'A template engine is told not to escape what it puts into a page.',
    suggestion: 'Leave escaping on, and mark the few trusted places instead.',
    hint: /\bescapeMarkup\b/,
  },
  'detect-eval-with-expression': {
    severity: 'minor',
    weakness: 'CWE-95',
    description: 'Text that is not a literal is run as code.',
    suggestion: 'Parse the text, or look the function up in a table.',
    hint: /\beval\b/,
  },
  'detect-invisible-characters': {
    severity: 'minor',
    weakness: 'CWE-1007',
    description: 'Characters that nobody sees stand in the code.',
    suggestion: 'Take them out, or write them as escapes.',
    hint: /[\u3164\uFFA0]/,
  },
  'detect-new-buffer': {
    severity: 'minor',
    weakness: 'CWE-908',
    description: 'new Buffer() of a number hands out memory that is not cleared.',
    suggestion: 'Use Buffer.alloc(size), or Buffer.from(data).',
    hint: /\bBuffer\b/,
  },
  'detect-no-csrf-before-method-override': {
    severity: 'minor',
    weakness: 'CWE-352',
    description: 'The check against forged requests comes before the method of the request is changed.',
    suggestion: 'Put the middleware that overrides methods before the one that checks tokens.',
    hint: /\bmethodOverride\b/,
  },
  'detect-non-literal-fs-filename': {
    severity: 'info',
    weakness: 'CWE-22',
    description: 'The path of a file operation is not a literal.',
    suggestion: 'Where it may come from outside, resolve it and refuse what leaves its folder.',
  },
  'detect-non-literal-regexp': {
    severity: 'info',
    weakness: 'CWE-1333',
    description: 'A regular expression is made of text that is not a literal.',
    suggestion: 'Where it may come from outside, escape it, or compare texts.',
  },
  'detect-non-literal-require': {
    severity: 'minor',
    weakness: 'CWE-95',
    description: 'The module that is loaded is not a literal.',
    suggestion: 'Choose from a table of the modules that may be loaded.',
    hint: /\brequire\b/,
  },
  'detect-object-injection': {
    severity: 'info',
    weakness: 'CWE-1321',
    description: 'A property is read or written by a name that is not a literal.',
    suggestion: 'Where the name may come from outside, use a Map, or look it up in a list of names.',
  },
  'detect-possible-timing-attacks': {
    severity: 'minor',
    weakness: 'CWE-208',
    description: 'A secret is compared with an operator that ends at the first difference.',
    suggestion: 'Use crypto.timingSafeEqual.',
  },
  'detect-pseudoRandomBytes': {
    severity: 'minor',
    weakness: 'CWE-338',
    description: 'pseudoRandomBytes() may be guessed.',
    suggestion: 'Use crypto.randomBytes().',
    hint: /\bpseudoRandomBytes\b/,
  },
  'detect-unsafe-regex': {
    severity: 'minor',
    weakness: 'CWE-1333',
    description: 'The regular expression may take exponential time on text that was written for that.',
    suggestion: 'Write it without a repetition inside a repetition, or limit the text.',
  },
};

/** One text, and how deep it is looked into. */
export interface LintedSource {
  readonly path: string;
  readonly text: string;
  /** All rules, everywhere; else those that seldom err, and not over tests. */
  readonly deep: boolean;
}

/** The names of the rules that have anything to look for in a text. */
export function lintRulesFor({ path, text, deep }: LintedSource): string[] {
  const all = Object.entries(securityLintRules);
  if (deep) return all.map(([name]) => name);
  if (isOfKind(path, 'tests')) return [];
  return all.filter(([, { hint }]) => hint?.test(text) === true).map(([name]) => name);
}
