/** A part of a repository that one task may have for itself. */
export interface Project {
  readonly name: string;
  /** Folder, relative to the repository, `.` for all of it. */
  readonly root: string;
  /** What of it a task may write: the folder, or what is left of it beside projects inside. */
  readonly workspace: readonly string[];
  /** Names of projects it builds on. */
  readonly dependsOn: readonly string[];
  /** Commands that check it alone. */
  readonly checks: readonly string[];
}

/** What a repository is made of. */
export interface ProjectGraph {
  readonly kind: 'nx' | 'workspaces' | 'folders';
  readonly projects: readonly Project[];
  /** What was guessed or left out, for people. */
  readonly notes: readonly string[];
}

/** The files of a repository, for reading only. */
export interface RepositoryFiles {
  /** Relative, `/` separated. */
  readonly paths: readonly string[];
  /** The text of one; undefined: there is none, or it cannot be read. */
  text(path: string): string | undefined;
}
