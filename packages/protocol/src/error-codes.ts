import { z } from 'zod';

/** Exit codes of `switchyard` (API; listed by `switchyard help exit-codes`). */
export const exitCodes = {
  ok: { code: 0, text: 'everything asked for was done' },
  runFailed: { code: 1, text: 'the run ended with a failed, skipped or rejected task, or was cancelled' },
  usage: { code: 2, text: 'the command line is wrong' },
  planInvalid: { code: 3, text: 'the plan has problems; each is printed with file, line and column' },
  setupMissing: {
    code: 4,
    text: 'something this machine needs is missing; the text names the command that installs it',
  },
  repository: { code: 5, text: 'the git repository cannot be used as it is' },
  unreachable: { code: 6, text: 'no orchestrator answers, or it refused the token' },
  conflict: { code: 7, text: 'somebody else holds what was asked for, or a merge has conflicts' },
  storage: {
    code: 8,
    text: 'the state folder cannot be read or written (full, read-only, foreign or damaged)',
  },
  minorFound: { code: 20, text: 'the worst that `switchyard review` found is minor (with --fail-on minor)' },
  majorFound: { code: 21, text: 'the worst that `switchyard review` or a session found is major' },
  criticalFound: { code: 22, text: '`switchyard review` or a session found something critical' },
  infoFound: { code: 23, text: 'all that `switchyard review` found are remarks (with --fail-on info)' },
  internal: { code: 70, text: 'a bug in Switchyard; the log has the details' },
  interrupted: { code: 130, text: 'ended by ctrl-C or SIGTERM; nothing is lost' },
  unread: { code: 141, text: 'who read what it printed has gone, so how it would have ended is not known' },
} as const;
export type ExitName = keyof typeof exitCodes;

/** What happens next after an operating error: never (mend it first), later (retried by itself), now (try again). */
export type Next = 'never' | 'later' | 'now';

interface ErrorRow {
  readonly exit: ExitName;
  readonly next: Next;
  /** What it means and how to mend it, for `switchyard help errors`. */
  readonly text: string;
}

const row = (exit: ExitName, next: Next, text: string): ErrorRow => ({ exit, next, text });

/** The closed list of error codes (API). A code is never reused for another meaning. */
export const errorTable = {
  E_INTERNAL: row('internal', 'never', 'A bug. The log names the place; please report it with the log.'),
  E_USAGE: row('usage', 'never', 'The command line is wrong; `switchyard help` shows what it takes.'),
  E_CONFIG: row(
    'usage',
    'never',
    'A configuration value is wrong; the text says which, where, and what it may be.',
  ),
  E_PLAN_INVALID: row(
    'planInvalid',
    'never',
    'The plan has problems; each is listed with its place and a fix.',
  ),
  E_PLAN_TOO_LARGE: row(
    'planInvalid',
    'never',
    'The plan file or its number of tasks is over the limit; split it.',
  ),
  E_PLAN_DRAFT: row(
    'planInvalid',
    'never',
    'The agent handed in no plan that passes the checks; the text says why.',
  ),
  E_NO_GIT: row('setupMissing', 'never', 'git is missing or too old; install git 2.39 or newer.'),
  E_NOT_A_REPOSITORY: row(
    'repository',
    'never',
    'This folder is in no git repository; run `git init` or go to one.',
  ),
  E_BARE_REPOSITORY: row(
    'repository',
    'never',
    'A bare repository has no checkout to apply to; use a clone of it.',
  ),
  E_NO_COMMITS: row(
    'repository',
    'never',
    'The repository has no commit yet; make one, so that a run has a base.',
  ),
  E_REPOSITORY_UNREADABLE: row(
    'repository',
    'never',
    'What the repository holds cannot be read, or is not all there; the text says what, and how to mend it.',
  ),
  E_BASE_UNKNOWN: row(
    'repository',
    'never',
    'The base of the plan is no branch, tag or commit of the repository.',
  ),
  E_SUBMODULES: row(
    'repository',
    'never',
    'The repository has submodules or LFS files, which a run does not carry yet.',
  ),
  E_RUN_UNKNOWN: row('usage', 'never', 'No such run; `switchyard runs` lists them.'),
  E_TASK_UNKNOWN: row('usage', 'never', 'No such task in this run; `switchyard run show RUN` lists them.'),
  E_RUN_STATE: row('usage', 'never', 'The run is in a state that does not allow this; the text says which.'),
  E_RUN_BRANCH_MOVED: row(
    'conflict',
    'never',
    'Somebody else moved the run branch; the run stops rather than guess.',
  ),
  E_APPLY_CONFLICT: row(
    'conflict',
    'never',
    'The result conflicts with your branch; the text lists the files.',
  ),
  E_APPLY_DIRTY: row('conflict', 'never', 'Your checkout has uncommitted changes in files the run touches.'),
  E_APPLY_UNVERIFIED: row(
    'runFailed',
    'never',
    'Your branch has moved and the merged result does not pass verification.',
  ),
  E_MERGE_CONFLICT: row(
    'conflict',
    'never',
    'The change conflicts with what others integrated; both sides are given.',
  ),
  E_STATE_LOCKED: row(
    'conflict',
    'never',
    'Another orchestrator holds this state folder; the text says which process.',
  ),
  E_STATE_FOREIGN: row('storage', 'never', 'The state folder belongs to another project or another user.'),
  E_STATE_NEWER: row('storage', 'never', 'The state was written by a newer version; use that one.'),
  E_STATE_DAMAGED: row('storage', 'never', 'The journal is damaged; `switchyard doctor` says where.'),
  E_DISK_FULL: row(
    'storage',
    'later',
    'The disk is full; nothing acknowledged is lost, make room and start again.',
  ),
  E_STORAGE: row('storage', 'later', 'The state folder cannot be read or written.'),
  E_PORT_TAKEN: row('conflict', 'never', 'The port is in use; choose another with --port or leave it out.'),
  E_BIND_INSECURE: row(
    'usage',
    'never',
    'Only the loopback may be bound without TLS; see `switchyard invite`.',
  ),
  E_UNREACHABLE: row(
    'unreachable',
    'later',
    'No orchestrator answers; start one with `switchyard up`, or check the address.',
  ),
  E_TOKEN: row('unreachable', 'never', 'The token is wrong, used up, or not for this role.'),
  E_FINGERPRINT: row('unreachable', 'never', 'The certificate is not the one that the invitation names.'),
  E_VERSION: row(
    'unreachable',
    'never',
    'The peer speaks another version of the protocol; update the older one.',
  ),
  E_REPLACED: row(
    'conflict',
    'never',
    'Another process with the same peer name connected; only the newest link stays.',
  ),
  E_PROTOCOL: row('unreachable', 'never', 'A peer broke the message table; it is told why and dropped.'),
  E_QUEUE_FULL: row(
    'unreachable',
    'later',
    'A queue reached its limit; the text says which and what happens.',
  ),
  E_TIMEOUT: row(
    'runFailed',
    'later',
    'Something took longer than its limit; the text says what and which limit. For an attempt: raise `timeoutMinutes`, or split the task.',
  ),
  E_CANCELLED: row('runFailed', 'never', 'It was cancelled.'),
  E_SPAWN: row(
    'runFailed',
    'later',
    'A daemon or worker did not start in time; its log says why (`switchyard logs`), and `switchyard doctor` whether the machine has what it needs.',
  ),
  E_FLEET_FULL: row(
    'runFailed',
    'later',
    'The limit of local workers is reached; raise `--workers-max` (or `--reviewers-max`) of the orchestrator, or wait. What is over `limits.workers` of a plan waits by itself.',
  ),
  E_NO_WORKER: row(
    'runFailed',
    'later',
    'No worker offers the labels that the task requires; `switchyard workers` shows what each offers.',
  ),
  E_SANDBOX_UNAVAILABLE: row(
    'setupMissing',
    'never',
    'Commands cannot be isolated on this machine and are refused.',
  ),
  E_SANDBOX: row(
    'runFailed',
    'later',
    'The sandbox could not be set up for a command; the text has its words.',
  ),
  E_COMMAND_FAILED: row('runFailed', 'never', 'A command of the task ended with another code than 0.'),
  E_COMMAND_TIMEOUT: row(
    'runFailed',
    'never',
    'A command ran longer than its limit and was killed with all its children. Raise `timeoutMinutes` of the task or of `defaults`, or split the task; `switchyard logs --task ID` shows where it stood.',
  ),
  E_HANDOVER_INVALID: row(
    'runFailed',
    'now',
    'What an attempt wrote into the file of SWITCHYARD_HANDOVER cannot be read; the text names each fault.',
  ),
  E_ACCEPTANCE: row(
    'runFailed',
    'never',
    'An acceptance command failed on a fresh checkout of the commit. It begins at its root, so say `cd folder && …` where it belongs; files that git does not know come by `include`, dependencies by `setup`.',
  ),
  E_SETUP_FAILED: row(
    'runFailed',
    'never',
    'The dependency layer could not be built; the text ends with its output.',
  ),
  E_WORKSPACE_VIOLATION: row(
    'runFailed',
    'never',
    'The attempt changed files outside its workspace; they are listed.',
  ),
  E_EXECUTOR: row('runFailed', 'never', 'The executor of the task is not available on this worker.'),
  E_AGENT_UNKNOWN: row(
    'planInvalid',
    'never',
    'The plan names an agent that is not known for this kind of executor; the text names those there are.',
  ),
  E_AGENT_MISSING: row(
    'setupMissing',
    'never',
    'The program of an agent is not on this machine; the text says how it is installed.',
  ),
  E_AGENT_MODEL: row(
    'runFailed',
    'never',
    'The agent needs a model: the task names none, or the worker has no provider for it.',
  ),
  E_AGENT_FAILED: row(
    'runFailed',
    'never',
    'The agent gave up, crashed or was killed at a limit; the text has its last words.',
  ),
  E_AGENT_TIMEOUT: row(
    'runFailed',
    'never',
    'The agent worked longer than the limit of its task and was killed with all its children.',
  ),
  E_AGENT_SILENT: row(
    'runFailed',
    'later',
    'The agent gave no sign of life for too long and was killed with all its children.',
  ),
  E_AGENT_PROTOCOL: row(
    'runFailed',
    'later',
    'The agent does not speak the Agent Client Protocol as it should; the text says how.',
  ),
  E_MCP_SERVER: row(
    'runFailed',
    'never',
    'An MCP server of the task is not in the catalogue or does not start; the text has its words.',
  ),
  E_NO_CHANGES: row(
    'runFailed',
    'never',
    'The task had to change something and changed nothing. Its work may be there already, where the plan was run and applied before: leave the task out then.',
  ),
  E_REVIEW_REJECTED: row(
    'runFailed',
    'never',
    'Reviewers rejected the change and its rounds are used up. Read the findings in the report; say more in `instructions`, choose other `review.specializations` where the wrong reviewer was asked, or more `review.rounds`. Where reviewers are too strict, suppress a finding with a reason in .switchyard/review.yml; where they are too lenient, add specializations, or engines in that file; a model goes by `customInstructions` of the mode `reviewer-<specialization>` in .roomodes.',
  ),
  E_REVIEW_TIMEOUT: row(
    'runFailed',
    'never',
    'No verdict came in time and the plan does not let that pass. `switchyard workers` shows the reviewers; raise `review.timeoutMinutes`, or let it pass with a warning by `review.onTimeout: approve`.',
  ),
  E_VERIFY_FAILED: row('runFailed', 'never', 'The merged result does not pass the verification of the plan.'),
  E_GATE_REJECTED: row('runFailed', 'never', 'A person rejected the gate.'),
  E_GATE_INPUTS: row(
    'usage',
    'never',
    'The answer to a gate lacks a value it asks for, or has one it does not; each is named.',
  ),
  E_REPLY_INVALID: row(
    'usage',
    'never',
    'The file that answers a gate cannot be understood, or is of another question; each fault is told with its line.',
  ),
  E_ROLLBACK_DEPENDANTS: row(
    'usage',
    'never',
    'Other tasks rest on what is to be rolled back; the text lists them, and --with-dependants includes them.',
  ),
  E_ROLLBACK_REFUSED: row(
    'runFailed',
    'never',
    'The run branch stays as it is: later changes are mixed with what was to be rolled back, or it does not pass without it.',
  ),
  E_WORKER_LOST: row(
    'runFailed',
    'later',
    'The worker of the attempt is gone; the attempt is repeated elsewhere. `switchyard workers` says since when and why, and `switchyard logs --worker NAME` its last words.',
  ),
  E_PATH_INVALID: row('usage', 'never', 'Not a usable path.'),
  E_OUTSIDE_WORKSPACE: row(
    'runFailed',
    'never',
    'File access denied: outside workspace. A task writes in its `workspace` alone; name more there if the task is to change it, or give that to a task of its own.',
  ),
  E_READ_ONLY: row('runFailed', 'never', 'A write in a root that may only be read.'),
  E_DENIED: row('runFailed', 'never', 'The path matches what the policy denies.'),
  E_PROTECTED: row(
    'runFailed',
    'never',
    'The file can make the host run code and is protected from writing.',
  ),
  E_NOT_FOUND: row('runFailed', 'never', 'Nothing is there.'),
  E_ACCESS: row('runFailed', 'never', 'The operating system says no.'),
  E_IS_DIRECTORY: row('runFailed', 'never', 'A file was needed and a directory is there.'),
  E_NOT_REGULAR: row('runFailed', 'never', 'A pipe, socket or device where a file was needed.'),
  E_SYMLINK_LOOP: row('runFailed', 'never', 'More than 40 links.'),
  E_DANGLING_LINK: row('runFailed', 'never', 'A write through a link whose target does not exist.'),
  E_TOO_LARGE: row('runFailed', 'never', 'More than the limit for reading or writing a file.'),
  E_WORKSPACE_MOVED: row('runFailed', 'never', 'The workspace was renamed or replaced while it was in use.'),
  E_BAD_ROOT: row('usage', 'never', 'This folder cannot be a workspace.'),
  E_PATH_MISMATCH: row('runFailed', 'never', 'A diff names another file than the call does.'),
  E_NO_MATCH: row('runFailed', 'never', 'The text to replace is not in the file.'),
  E_BAD_PATTERN: row('usage', 'never', 'A pattern that is invalid or explodes.'),
  E_IO: row('storage', 'later', 'The operating system answered with an error.'),
  E_SESSION_UNKNOWN: row(
    'usage',
    'never',
    'There is no review session of this task; `switchyard session start N` begins one.',
  ),
  E_SESSION_STATE: row(
    'usage',
    'never',
    'The review session is in a state that does not allow this; the text says which.',
  ),
  E_SESSION_SPEC: row(
    'planInvalid',
    'never',
    'Specification, task or plan of a review session is missing, broken, or leaves a gap; each is listed.',
  ),
  E_SESSION_CONFLICT: row(
    'planInvalid',
    'never',
    'The plan of a review session takes a way that the specification rules out; a person decides which of the two is changed, then `switchyard session start N`.',
  ),
  E_SESSION_DAMAGED: row(
    'storage',
    'never',
    'The state of a review session cannot be read, nor its backup; each problem has its place and a fix.',
  ),
  E_SESSION_WAITS: row(
    'setupMissing',
    'never',
    'A review session waits until a person has mended what it lacks; then `switchyard session continue N`.',
  ),
  E_SESSION_FAILED: row('runFailed', 'never', 'A review session came to no conclusion; the text says why.'),
  E_TOOL_DENIED: row(
    'runFailed',
    'never',
    'The mode of an agent does not have this tool, or not for this file; the text says what it has. What it may not do is for a task of another mode: an orchestrator spawns one.',
  ),
  E_TOOL_INPUT: row(
    'runFailed',
    'never',
    'An agent called a tool with arguments that do not fit; each is named.',
  ),
  E_MODEL: row(
    'runFailed',
    'later',
    'The model endpoint did not answer as it should; the text has its words.',
  ),
  E_AGENT_STUCK: row(
    'runFailed',
    'never',
    'An agent made mistake after mistake, or too many turns; its transcript has each of them.',
  ),
  E_MODE: row('usage', 'never', 'No such mode, or not for this; `switchyard modes list` lists them.'),
  E_ROOMODES: row(
    'usage',
    'never',
    'A .roomodes file has problems; each is listed with its place and a fix.',
  ),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;
const codes = Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]];
export const errorCode = z.enum(codes);
