import { readdirSync, readFileSync, statSync } from 'node:fs';
import { AppError, messageOf } from '@switchyard/protocol';
import {
  pathsNamed,
  readRequirements,
  readTask,
  sessionProblemLine,
  type Requirement,
  type SpecTask,
} from '@switchyard/review';
import { insideProject, type SessionProject } from './session-project.ts';
import { digestOf } from './session-store.ts';

const fileBytesMax = 4 * 1024 * 1024;
const specFilesMax = 500;

export interface SpecFile {
  readonly path: string;
  readonly text: string;
}

/** The specification: every Markdown or text file under `docs/specs`. Throws AppError E_SESSION_SPEC. */
export function loadSpecs(project: SessionProject): SpecFile[] {
  const folder = insideProject(project, project.specs);
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(md|mdx|txt)$/i.test(entry.name))
    .map((entry) => `${entry.parentPath.slice(project.root.length + 1)}/${entry.name}`)
    .sort();
  if (names.length === 0)
    throw new AppError(
      'E_SESSION_SPEC',
      `${project.specs} holds no Markdown file; write the specification there`,
    );
  if (names.length > specFilesMax)
    throw new AppError('E_SESSION_SPEC', `${project.specs} holds more than ${specFilesMax} files; split it`);
  return names.map((path) => ({
    path,
    text: readDocument(project, path, 'a document of the specification'),
  }));
}

export function requirementsOf(project: SessionProject, specs: readonly SpecFile[]): Requirement[] {
  return specs
    .filter(({ path }) => path !== project.tasks)
    .flatMap(({ path, text }) => readRequirements(text, path));
}

/** The task in the list of tasks. Throws AppError E_SESSION_SPEC where it is missing or there twice. */
export function loadTask(project: SessionProject): SpecTask {
  const text = readDocument(project, project.tasks, 'the list of tasks');
  const { task, problems } = readTask(text, project.taskId, project.tasks);
  if (task === undefined) throw new AppError('E_SESSION_SPEC', problems.map(sessionProblemLine).join('\n'));
  return task;
}

/** Throws AppError E_SESSION_SPEC. */
export function loadPlan(project: SessionProject): string {
  const text = readDocument(project, project.plan, 'the implementation plan');
  if (text.trim() === '')
    throw new AppError('E_SESSION_SPEC', `${project.plan}: it is empty; write the plan there`);
  return text;
}

/** A text of the project. Throws AppError E_SESSION_SPEC, E_OUTSIDE_WORKSPACE; what else the disk says as it is. */
export function readDocument(project: SessionProject, path: string, what: string): string {
  const file = insideProject(project, path);
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile())
    throw new AppError('E_SESSION_SPEC', `${path}: ${what} is missing; write it there`);
  if (stat.size > fileBytesMax)
    throw new AppError('E_SESSION_SPEC', `${path}: larger than ${fileBytesMax} bytes; split it`);
  const bytes = readFileSync(file);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new AppError('E_SESSION_SPEC', `${path}: no UTF-8 text (${messageOf(cause)}); save it as UTF-8`, {
      cause,
    });
  }
}

/** Tells whether specification, plan or what the task asks for have changed; ticks are no change. */
export function inputsDigest(project: SessionProject): string {
  const specs = loadSpecs(project).map(({ path, text }) =>
    path === project.tasks ? text.replace(/\[[xX]\]/g, '[ ]') : text,
  );
  return digestOf(JSON.stringify([specs, loadPlan(project)]));
}

/** Paths that the plan and the task name. */
export function namedPaths(plan: string, task: SpecTask): string[] {
  return [...new Set([...pathsNamed(plan), ...pathsNamed(task.text)].map(({ path }) => path))];
}
