import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, finding, messageOf, sessionReport, type SessionReport } from '@switchyard/protocol';
import {
  decodeSession,
  encodeSession,
  sessionProblemLine,
  type DecodedSession,
  type EarlierFinding,
  type ReviewerResult,
  type SessionProblem,
  type SessionState,
} from '@switchyard/review';
import { z } from 'zod';
import { replaceFile } from './replace-file.ts';
import { insideProject, type SessionProject } from './session-project.ts';

/** A file of more is no state of a session. */
const stateCharactersMax = 8 * 1024 * 1024;

/** The state that was found, and what a person should hear of it. */
export interface StoredSession {
  readonly state: SessionState;
  readonly warnings: readonly string[];
}

const namedFinding = finding.extend({ fingerprint: z.string() });
const resultFile = z.object({
  reviewer: z.string(),
  findings: z.array(namedFinding),
  filesAnalyzed: z.number().int(),
  strengths: z.array(z.string()),
  suppressed: z.array(z.object({ finding: namedFinding, reason: z.string(), until: z.string() })).default([]),
});

const earlierFile = z.array(
  z.object({
    severity: finding.shape.severity,
    category: z.string().optional(),
    file: z.string().optional(),
    line: z.number().optional(),
    rule: z.string().optional(),
    fingerprint: z.string().optional(),
    description: z.string(),
  }),
);

interface Decoded extends Omit<DecodedSession, 'warnings'> {
  readonly warnings: readonly string[];
}

/** The files of the session of one task: its state, what reviewers handed in, its archive. */
export class SessionStore {
  readonly project: SessionProject;

  constructor(project: SessionProject) {
    this.project = project;
  }

  /**
   * The state, from its file or else from the backup; undefined: there is no session. Throws AppError E_SESSION_DAMAGED
   * with every problem where neither can be read.
   */
  read(): StoredSession | undefined {
    const { state, stateBackup } = this.project;
    const main = this.decode(state);
    if (main?.state !== undefined) return { state: main.state, warnings: main.warnings };
    // The backup may be of this version, but is of a moment before: to go on from it would lose what came after.
    if (main?.isOfOtherVersion === true) throw new AppError('E_SESSION_DAMAGED', problemLines(main.problems));
    const backup = this.decode(stateBackup);
    if (main === undefined && backup === undefined) return undefined;
    const problems = problemLines(main?.problems ?? []);
    if (backup?.state === undefined) {
      const all = [problems, problemLines(backup?.problems ?? [])].filter((lines) => lines !== '');
      const hint = `\`switchyard session start ${this.project.taskId} --restart\` begins anew and keeps the files`;
      throw new AppError('E_SESSION_DAMAGED', `${all.join('\n')}\n${hint}`);
    }
    const why = main === undefined ? `${state} is missing` : problems;
    return {
      state: backup.state,
      warnings: [`${why}; the backup of the last step is taken`, ...backup.warnings],
    };
  }

  private decode(path: string): Decoded | undefined {
    const file = insideProject(this.project, path);
    if (!existsSync(file)) return undefined;
    const text = readFileSync(file, 'utf8');
    if (text.length > stateCharactersMax)
      return {
        problems: [{ file: path, message: 'too large to be a state', fix: 'look at it' }],
        warnings: [],
      };
    const { state, problems, warnings, isOfOtherVersion } = decodeSession(text, path);
    if (state !== undefined && state.review_session.task_id !== this.project.taskId)
      return {
        problems: [
          { file: path, message: `it is of task ${state.review_session.task_id}`, fix: 'rename it' },
        ],
        warnings: [],
      };
    return {
      ...(state && { state }),
      problems,
      warnings: warnings.map(sessionProblemLine),
      ...(isOfOtherVersion === true && { isOfOtherVersion }),
    };
  }

  /** Writes the state, the one before as the backup. */
  write(state: SessionState): void {
    const { project } = this;
    replaceFile(
      insideProject(project, project.state),
      encodeSession(state),
      insideProject(project, project.stateBackup),
    );
  }

  /** Keeps what a reviewer handed in; the digest goes into the state. */
  saveResult(result: ReviewerResult): { readonly resultFile: string; readonly resultSha256: string } {
    const text = `${JSON.stringify(result, undefined, 1)}\n`;
    const path = `${this.project.results}/${result.reviewer}.json`;
    replaceFile(insideProject(this.project, path), text);
    return { resultFile: path, resultSha256: digestOf(text) };
  }

  /** What a reviewer handed in. Throws AppError E_SESSION_DAMAGED where it is not what was kept. */
  readResult(reviewer: SessionState['reviewers'][number]): ReviewerResult {
    const { result_file: path, result_sha256: digest, reviewer_id } = reviewer;
    const text = this.readKept(path ?? '', `the result of ${reviewer_id}`);
    if (digestOf(text) !== digest) throw this.damaged(`${path} is not what ${reviewer_id} handed in`);
    return resultFile.parse(JSON.parse(text));
  }

  saveEarlier(earlier: readonly EarlierFinding[]): void {
    const path = `${this.project.results}/earlier.json`;
    replaceFile(insideProject(this.project, path), `${JSON.stringify(earlier, undefined, 1)}\n`);
  }

  /** Findings of the review before this session. Throws AppError E_SESSION_DAMAGED. */
  readEarlier(): readonly EarlierFinding[] {
    const text = this.readKept(`${this.project.results}/earlier.json`, 'the earlier findings');
    try {
      return earlierFile.parse(JSON.parse(text));
    } catch (error) {
      throw this.damaged(`the earlier findings cannot be read: ${messageOf(error)}`);
    }
  }

  private readKept(path: string, what: string): string {
    try {
      return readFileSync(insideProject(this.project, path), 'utf8');
    } catch (error) {
      throw this.damaged(`${what} cannot be read: ${messageOf(error)}`);
    }
  }

  private damaged(message: string): AppError {
    const hint = `\`switchyard session start ${this.project.taskId} --restart\` begins anew`;
    return new AppError('E_SESSION_DAMAGED', `${message}; ${hint}`);
  }

  /** Keeps the report as data, until the archive takes it. */
  saveReport(report: SessionReport): void {
    const path = `${this.project.results}/report.json`;
    replaceFile(insideProject(this.project, path), `${JSON.stringify(report, undefined, 1)}\n`);
  }

  /** The report of a session that has ended, as data. Throws AppError E_SESSION_STATE, E_SESSION_DAMAGED. */
  readReport(state: SessionState): SessionReport {
    const path = `${this.archiveOf(state)}/report.json`;
    const file = insideProject(this.project, path);
    if (!existsSync(file))
      throw new AppError(
        'E_SESSION_STATE',
        `the session of task ${this.project.taskId} has no report (${path} is missing): it has not come to its end, or is of an older version`,
      );
    const parsed = sessionReport.safeParse(jsonIn(readFileSync(file, 'utf8')));
    if (parsed.success) return parsed.data;
    throw this.damaged(`${path} is no report: ${z.prettifyError(parsed.error)}`);
  }

  /** The report of a session that has ended, as it was written for people. */
  readReportText(state: SessionState): string {
    return this.readKept(`${this.archiveOf(state)}/review.md`, 'the report');
  }

  private archiveOf({ review_session: { session_id } }: SessionState): string {
    return `${this.project.archives}/${this.project.taskId}-${session_id}`;
  }

  /** Keeps a session whole, in a folder of its own; again: with what has been added. */
  archive(state: SessionState, results: readonly ReviewerResult[], report: string | undefined): string {
    const folder = this.archiveOf(state);
    const put = (name: string, text: string): void =>
      replaceFile(insideProject(this.project, `${folder}/${name}`), text);
    put('session-state.yaml', encodeSession(state));
    if (results.length > 0) put('results.json', `${JSON.stringify(results, undefined, 1)}\n`);
    if (report !== undefined) put('review.md', report);
    const data = insideProject(this.project, `${this.project.results}/report.json`);
    if (existsSync(data)) put('report.json', readFileSync(data, 'utf8'));
    return folder;
  }

  /** Whether a session is in the archive, with its report. */
  isArchived(state: SessionState): boolean {
    const folder = this.archiveOf(state);
    return ['session-state.yaml', 'review.md', 'report.json'].every((name) =>
      existsSync(insideProject(this.project, `${folder}/${name}`)),
    );
  }

  /** Puts aside what a session that is not gone on with has left, so that another can begin. */
  setAside(name: string): void {
    const { project } = this;
    const folder = insideProject(project, `${project.archives}/${name}`);
    mkdirSync(folder, { recursive: true });
    for (const path of [project.state, project.stateBackup, project.results]) {
      const from = insideProject(project, path);
      if (existsSync(from)) renameSync(from, join(folder, path.slice(path.lastIndexOf('/') + 1)));
    }
  }

  /** Takes away what only a session under way needs. */
  cleanUp(): void {
    rmSync(insideProject(this.project, this.project.results), { recursive: true, force: true });
  }
}

function problemLines(problems: readonly SessionProblem[]): string {
  return problems.map(sessionProblemLine).join('\n');
}

/** What a text says as JSON; undefined: it is none. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
