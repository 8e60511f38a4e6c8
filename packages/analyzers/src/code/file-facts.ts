import { z } from 'zod';

const line = z.number().int().min(1);

/** One test of a test file. */
const testFact = z.object({
  /** Titles from the outermost group to the test, joined by ` > `. */
  title: z.string(),
  line,
  endLine: line,
  state: z.enum(['active', 'skipped', 'focused']),
  /** What it asserts, each as `subject` and what is claimed of it. */
  assertions: z.array(z.object({ subject: z.string(), claim: z.string() })),
});
export type TestFact = z.infer<typeof testFact>;

const memberFact = z.object({ name: z.string(), isOptional: z.boolean() });

/** One name that a module offers. */
const exportFact = z.object({
  name: z.string(),
  line,
  endLine: line,
  kind: z.enum(['function', 'class', 'type', 'value', 'passed-on']),
  /** Parameters that a caller has to give, and all; of functions. */
  required: z.number().int().optional(),
  parameters: z.number().int().optional(),
  /** Fields of a type that is an object. */
  members: z.array(memberFact).optional(),
  /** Texts of a constant list. */
  values: z.array(z.string()).optional(),
});
export type ExportFact = z.infer<typeof exportFact>;

/** One import, `import()` or `require`. */
const importFact = z.object({ from: z.string(), names: z.array(z.string()), line, isTypeOnly: z.boolean() });
export type ImportFact = z.infer<typeof importFact>;

/** One function that has a name. */
const functionFact = z.object({
  /** With the names around it: `Store.open`. */
  name: z.string(),
  /** Which of those of the same name, from 1. */
  nth: z.number().int(),
  line,
  endLine: line,
  /** Ways through it (McCabe). */
  complexity: z.number().int(),
});
export type FunctionFact = z.infer<typeof functionFact>;

/** What a source file offers, needs and tests; enough to compare it before and after a change. */
export const fileFacts = z.object({
  tests: z.array(testFact),
  exports: z.array(exportFact),
  imports: z.array(importFact),
  functions: z.array(functionFact),
});
export type FileFacts = z.infer<typeof fileFacts>;

export const noFacts: FileFacts = { tests: [], exports: [], imports: [], functions: [] };
