import { isMap, isNode, isScalar, LineCounter, parseDocument, stringify, type Document } from 'yaml';
import type { z } from 'zod';
import { reviewerCounts } from './progress.ts';
import {
  sessionDocument,
  sessionSchemaVersion,
  type SessionDocument,
  type SessionState,
} from './session-document.ts';
import { sessionSteps } from './session-phases.ts';
import type { SessionProblem } from './session-problem.ts';
import { sessionTodos } from './session-todos.ts';

/** The last line of a whole file: YAML's end of a document. */
const endMarker = '...';
const endLine = /^\.\.\.[ \t]*(\r?\n|$)/m;
const problemsMax = 20;

/** The file of a session, in YAML; ends with the end marker, so that a file that was cut off is told from a whole one. */
export function encodeSession(state: SessionState): string {
  const document: SessionDocument = { ...state, todo_list: sessionTodos(state) };
  const { task_id } = state.review_session;
  const head = `# State of the review session of task ${task_id}; \`switchyard session status ${task_id}\` shows it.\n`;
  return `${head}${stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })}${endMarker}\n`;
}

/** A file that was read: a state, or what keeps it from being one; warnings in either case. */
export interface DecodedSession {
  readonly state?: SessionState;
  readonly problems: readonly SessionProblem[];
  readonly warnings: readonly SessionProblem[];
  /** Another version of the program wrote it, and knows more of the session than an older file does. */
  readonly isOfOtherVersion?: boolean;
}

/** Reads a session's file. Never throws: everything that is wrong is a problem with its place and a fix. */
export function decodeSession(text: string, file: string): DecodedSession {
  const source = new Source(text, file);
  if (source.problems.length > 0) return { problems: source.problems, warnings: [] };
  const version = source.versionProblem();
  if (version !== undefined) return { problems: [version], warnings: [], isOfOtherVersion: true };
  const warnings: SessionProblem[] = source.takeBrokenTodos();
  let parsed = sessionDocument.safeParse(source.value);
  if (!parsed.success) {
    warnings.push(...parsed.error.issues.flatMap((issue) => source.takeUnknown(issue)));
    parsed = sessionDocument.safeParse(source.value);
  }
  if (!parsed.success) {
    const problems = parsed.error.issues.slice(0, problemsMax).map((issue) => source.problemOf(issue));
    return { problems, warnings };
  }
  const { todo_list: _follows, ...state } = parsed.data;
  const problems = contradictions(state).map(({ path, ...words }) => source.at(path, words));
  if (problems.length > 0) return { problems, warnings };
  const counts = reviewerCounts(state.reviewers);
  if (
    Object.entries(counts).some(
      ([name, count]) => state.coordination_state[name as keyof typeof counts] !== count,
    )
  )
    warnings.push(
      source.at(['coordination_state'], {
        message: 'the counts are not those of the reviewers',
        fix: 'they are counted anew',
      }),
    );
  Object.assign(state.coordination_state, counts);
  return { state, problems: [], warnings };
}

interface Words {
  readonly message: string;
  readonly fix: string;
}
type Path = readonly PropertyKey[];

/** The text of a file with the places of what it says. */
class Source {
  readonly problems: SessionProblem[] = [];
  readonly value: unknown;
  private readonly file: string;
  private readonly lines = new LineCounter();
  private readonly document: Document;
  private readonly isWhole: boolean;

  constructor(text: string, file: string) {
    this.file = file;
    const end = endLine.exec(text);
    this.isWhole = end !== null;
    const after = end === null ? -1 : text.slice(end.index + end[0].length).search(/\S/);
    this.document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false, logLevel: 'error' });
    if (end !== null && after >= 0) {
      this.problems.push({
        file,
        ...this.position(end.index + end[0].length + after),
        message: `there is something after the line \`${endMarker}\`, with which the file ends`,
        fix: 'put it above that line, or take it out',
      });
      return;
    }
    for (const { message, pos } of this.document.errors.slice(0, problemsMax))
      this.problems.push({
        file,
        ...this.position(pos[0]),
        message: `no valid YAML: ${message.split('\n')[0] ?? ''}`,
        fix: this.isWhole ? 'mend the line' : cutOff,
      });
    if (this.problems.length > 0) return;
    try {
      this.value = this.document.toJS({ maxAliasCount: 0 });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.problems.push({ file, message: `not readable: ${message}`, fix: 'write it without aliases' });
    }
  }

  versionProblem(): SessionProblem | undefined {
    const path = ['review_session', 'schema_version'];
    const version: unknown = this.document.getIn(path);
    if (version === undefined || version === sessionSchemaVersion) return undefined;
    return this.at(path, {
      message: `the file has version ${JSON.stringify(version)}; this program reads version ${sessionSchemaVersion}`,
      fix: 'use the version of Switchyard that wrote it, or begin anew with --restart',
    });
  }

  /** The todo list follows from the rest: what a hand made of it does no harm. */
  takeBrokenTodos(): SessionProblem[] {
    const { value } = this;
    if (typeof value !== 'object' || value === null) return [];
    const list: unknown = Reflect.get(value, 'todo_list');
    if (sessionDocument.shape.todo_list.safeParse(list ?? undefined).success) return [];
    Reflect.deleteProperty(value, 'todo_list');
    const fix = 'it follows from the rest, and is written anew';
    return [this.at(['todo_list'], { message: 'the todo list is not as it was written', fix })];
  }

  /** Unknown fields do no harm: each is a warning, and is left out. */
  takeUnknown(issue: z.core.$ZodIssue): SessionProblem[] {
    if (issue.code !== 'unrecognized_keys') return [];
    let holder: unknown = this.value;
    for (const key of issue.path)
      holder = typeof holder === 'object' && holder !== null ? Reflect.get(holder, key) : undefined;
    return issue.keys.map((key) => {
      if (typeof holder === 'object' && holder !== null) Reflect.deleteProperty(holder, key);
      return this.at([...issue.path, key], {
        message: `unknown field "${key}"`,
        fix: 'it is ignored, and gone when the file is written next',
      });
    });
  }

  problemOf(issue: z.core.$ZodIssue): SessionProblem {
    const name = issue.path.map(String).join('.') || 'the file';
    const isMissing = this.document.getIn(issue.path) === undefined;
    const fix = this.isWhole ? 'correct it, or begin anew with --restart' : cutOff;
    return this.at(issue.path, {
      message: isMissing ? `${name} is missing` : `${name}: ${issue.message}`,
      fix,
    });
  }

  /** A problem at the field of a path, else at the nearest that is there. */
  at(path: Path, words: Words): SessionProblem {
    const offset = this.offsetOf(path);
    return { file: this.file, ...(offset === undefined ? {} : this.position(offset)), ...words };
  }

  private offsetOf(path: Path): number | undefined {
    for (let length = path.length; length > 0; length -= 1) {
      const parent: unknown =
        length === 1 ? this.document.contents : this.document.getIn(path.slice(0, length - 1), true);
      const key = path[length - 1];
      if (isMap(parent)) {
        const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === key);
        if (pair !== undefined && isNode(pair.key) && pair.key.range) return pair.key.range[0];
      }
      const node: unknown = this.document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return undefined;
  }

  private position(offset: number): { readonly line: number; readonly column: number } {
    const { line, col } = this.lines.linePos(offset);
    return { line, column: col };
  }
}

const cutOff = 'the file seems to be cut off; its backup, if there is one, lies beside it';

/** What a hand may have written that cannot be. */
function contradictions(state: SessionState): ({ readonly path: Path } & Words)[] {
  const { review_session: session, session_metadata: metadata, coordination_state: coordination } = state;
  const found: ({ readonly path: Path } & Words)[] = [];
  if ((session.overall_status === 'completed') !== (coordination.completion_percentage === 100))
    found.push({
      path: ['coordination_state', 'completion_percentage'],
      message: `overall_status is ${session.overall_status} at ${coordination.completion_percentage} %`,
      fix: 'a session is completed at 100 %, and only then',
    });
  const names = new Set<string>();
  for (const [index, { reviewer_id, status, result_file, result_sha256 }] of state.reviewers.entries()) {
    const path = ['reviewers', index, 'reviewer_id'];
    if (names.has(reviewer_id))
      found.push({ path, message: `${reviewer_id} is there twice`, fix: 'take one of them out' });
    names.add(reviewer_id);
    if (status === 'completed' && (result_file === null || result_sha256 === null))
      found.push({
        path: ['reviewers', index, 'status'],
        message: `${reviewer_id} is completed without a result`,
        fix: 'set its status to registered, so that it is run again',
      });
  }
  if (metadata.completed_steps.some((step, index) => step !== sessionSteps[index]))
    found.push({
      path: ['session_metadata', 'completed_steps'],
      message: 'the completed steps are not in their order',
      fix: `their order is ${sessionSteps.join(', ')}`,
    });
  return found;
}
