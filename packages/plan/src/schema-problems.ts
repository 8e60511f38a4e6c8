import { nearest } from '@switchyard/protocol';
import type { z } from 'zod';
import { knownKeysAt } from './known-keys.ts';
import { inWords, type ProblemText } from './problem.ts';
import type { Complaint } from './read-yaml.ts';
import { child, nodeAt, textOf, type SourceNode } from './source-node.ts';

type Issue = z.core.$ZodIssue;

/** What the schema says, as problems with the places of what is written. */
export function schemaComplaints(root: SourceNode, issues: readonly Issue[]): Complaint[] {
  return issues.flatMap((issue) => complaintsOf(root, issue, []));
}

function complaintsOf(root: SourceNode, issue: Issue, above: readonly PropertyKey[]): Complaint[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_union') return unionComplaints(root, issue, path);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(root, [...path, key]));
  const at = nodeAt(root, path);
  const where = whereOf(root, path);
  return [{ offset: at.offset, ...textFor({ issue, where, found: at.found, path }) }];
}

/** Of several forms a value may have, speaks of the one it comes nearest to; else lists them all. */
function unionComplaints(
  root: SourceNode,
  issue: z.core.$ZodIssueInvalidUnion,
  path: readonly PropertyKey[],
): Complaint[] {
  const fitting = issue.errors.filter(
    (branch) => !branch.some((inner) => inner.path.length === 0 && isShapeIssue(inner)),
  );
  const nearestForm = fitting.toSorted((a, b) => a.length - b.length)[0];
  if (nearestForm !== undefined) return nearestForm.flatMap((inner) => complaintsOf(root, inner, path));
  const at = nodeAt(root, path);
  // Of a text, zod also counts the characters as if they were the entries of a list.
  const forms = issue.errors.flatMap((branch) => branch.filter(isShapeIssue).map(expectedBy));
  const expected = inWords([...new Set(forms)], 'or');
  return [{ offset: at.offset, ...mustBe(whereOf(root, path), expected, at.found) }];
}

function isShapeIssue(issue: Issue): boolean {
  return ['invalid_type', 'invalid_value', 'invalid_union'].includes(issue.code);
}

function expectedBy(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeWords[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return inWords(withoutModes(issue.values.map(String)), 'or');
    case 'invalid_union':
      return inWords([...new Set(issue.errors.flatMap((branch) => branch.map(expectedBy)))], 'or');
    default:
      return issue.message;
  }
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys and values',
  record: 'a map of keys and values',
};

interface IssueContext {
  readonly issue: Issue;
  readonly where: string;
  readonly found: SourceNode | undefined;
  readonly path: readonly PropertyKey[];
}

function textFor({ issue, where, found, path }: IssueContext): ProblemText {
  switch (issue.code) {
    case 'invalid_type':
      return found === undefined || isNull(found)
        ? missing(where, path)
        : mustBe(where, expectedBy(issue), found);
    case 'invalid_value':
      return wrongChoice(where, issue.values.map(String), found);
    case 'too_small':
      return outOfRange(where, ['least', issue.minimum, issue.origin], found);
    case 'too_big':
      return outOfRange(where, ['most', issue.maximum, issue.origin], found);
    case 'invalid_key':
      return { code: 'PLAN_UNKNOWN_KEY', message: `${where} is no known key`, fix: 'remove it' };
    default:
      return {
        code: 'PLAN_VALUE',
        message: `${where}: ${issue.message}`,
        fix: 'see `switchyard plan schema`',
      };
  }
}

type Bound = readonly [word: 'least' | 'most', limit: number | bigint, origin: string];

function outOfRange(where: string, [word, limit, origin]: Bound, found: SourceNode | undefined): ProblemText {
  const number = Number(Number(limit).toFixed(3));
  const unit = { string: 'character', array: 'entry' }[origin];
  const units = number === 1 ? unit : { character: 'characters', entry: 'entries' }[unit ?? ''];
  const amount =
    unit === undefined
      ? `be at ${word} ${number}, not ${described(found)}`
      : `have at ${word} ${number} ${units ?? ''}`;
  const tooManyTasks = where === '"tasks"' && word === 'most';
  return {
    code: tooManyTasks ? 'PLAN_TOO_LARGE' : 'PLAN_VALUE',
    message: `${where} must ${amount}`,
    fix: tooManyTasks
      ? 'split the plan'
      : `write ${number}${units === undefined ? '' : ` ${units}`} or ${word === 'least' ? 'more' : 'less'}`,
  };
}

function missing(where: string, path: readonly PropertyKey[]): ProblemText {
  return {
    code: 'PLAN_MISSING',
    message: `${where} is missing`,
    fix:
      typeof path.at(-1) === 'number'
        ? 'write it behind the `-`, or remove the `-`'
        : `add \`${String(path.at(-1) ?? '')}:\` with a value`,
  };
}

function mustBe(where: string, expected: string, found: SourceNode | undefined): ProblemText {
  return {
    code: 'PLAN_TYPE',
    message: `${where} must be ${expected}, not ${described(found)}`,
    fix: `write ${expected}`,
  };
}

function wrongChoice(where: string, choices: readonly string[], found: SourceNode | undefined): ProblemText {
  const text = found?.kind === 'scalar' ? String(found.value) : undefined;
  if (choices.length === 1 && choices[0] === '1' && where === '"version"')
    return {
      code: 'PLAN_VERSION',
      message: `Version ${text ?? described(found)} of the plan format is not known`,
      fix: 'this program reads `version: 1`',
    };
  const meant = text === undefined ? undefined : nearest(text, choices);
  const shown = withoutModes(choices);
  return {
    code: 'PLAN_VALUE',
    message: `${where} must be ${inWords(shown, 'or')}, not ${described(found)}`,
    fix: meant === undefined ? 'choose one of these' : `did you mean ${meant}?`,
  };
}

/** Specializations may be written as the modes of their reviewers, which nobody need be told. */
function withoutModes(choices: readonly string[]): string[] {
  return choices.filter((choice) => !choice.startsWith('reviewer-'));
}

function isNull(node: SourceNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

function described(node: SourceNode | undefined): string {
  if (node === undefined) return 'nothing';
  if (node.kind === 'list') return 'a list';
  if (node.kind === 'map') return 'a map';
  if (node.value === null) return 'nothing';
  if (typeof node.value !== 'string') return String(node.value);
  return node.value.length > 40
    ? `the text ${JSON.stringify(`${node.value.slice(0, 40)}…`)}`
    : `the text ${JSON.stringify(node.value)}`;
}

function unknownKey(root: SourceNode, path: readonly PropertyKey[]): Complaint {
  const key = String(path.at(-1) ?? '');
  const parent = nodeAt(root, path.slice(0, -1)).found;
  const entry = parent?.kind === 'map' ? parent.entries.get(key) : undefined;
  const { keys: known, aliases } = knownKeysAt(path.slice(0, -1));
  const meant = nearest(key, [...known, ...aliases]);
  return {
    offset: entry?.offset ?? nodeAt(root, path).offset,
    code: 'PLAN_UNKNOWN_KEY',
    message: `Unknown key ${whereOf(root, path)}`,
    fix: meant === undefined ? `known here: ${known.join(', ')}` : `did you mean "${meant}"?`,
  };
}

/** A path in words: `"retries" of task A`, `"limits.workers"`. */
function whereOf(root: SourceNode, path: readonly PropertyKey[]): string {
  const [first, index, ...rest] = path;
  if (first !== 'tasks' || typeof index !== 'number')
    return path.length === 0 ? 'The plan' : `"${joined(path)}"`;
  const id = textOf(child(nodeAt(root, ['tasks', index]).found, 'id'))?.text;
  const task = id === undefined ? `task number ${index + 1}` : `task ${id}`;
  return rest.length === 0
    ? `${task[0]?.toUpperCase() ?? ''}${task.slice(1)}`
    : `"${joined(rest)}" of ${task}`;
}

function joined(path: readonly PropertyKey[]): string {
  return path
    .map((step, at) => (typeof step === 'number' ? `[${step}]` : `${at === 0 ? '' : '.'}${String(step)}`))
    .join('');
}
