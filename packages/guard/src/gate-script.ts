/**
 * The shell that waits in a sandbox for its command, and what it is told then. It has its control group and its limits
 * already; the command takes its place, so nothing of it is left but what every command is started with.
 */
import { shellWord } from '@switchyard/protocol';
import { isShellLine, shellProgram, type CommandStreams } from './process-limits.ts';
import type { ProcessRequest } from './sandbox-request.ts';

/** Behind those that bwrap reads, and of one digit: a POSIX shell is sure to know no other. */
export const GATE_FD = 5;

/**
 * Says when it is there, and reads what it shall be. The connection is its standard input, which it gives up for the
 * command's own; named by PATH, since the name it was called by stands before what it says.
 */
export const gateCommand: readonly string[] = [
  shellProgram,
  '-c',
  `exec <&${GATE_FD} ${GATE_FD}<&-; echo ready >&0; exec sh -s`,
];

/** Names that mean something to a shell itself, or that it does not take over as they are. */
const shellNames =
  /^(_|BASH\w*|CDPATH|COMP_\w+|DIRSTACK|E?UID|ENV|EPOCH\w+|FUNCNAME|GROUPS|HIST\w*|IFS|LINENO|MAIL\w*|OLDPWD|OPT\w*|PPID|PS\d|PWD|S?RANDOM|SECONDS|SHELLOPTS|SHLVL)$/;

/** What the system refuses to start for its length is refused by us, in our words, where it is started fresh. */
const toldCharactersMax = 30_000;
const toldWordsMax = 1_000;

/** Whether a shell can be told this command. */
export function canBeTold({ argv, env }: Pick<ProcessRequest, 'argv' | 'env'>): boolean {
  const words = [...argv, ...Object.entries(env).flat()];
  const characters = words.reduce((sum, word) => sum + word.length, 0);
  if (words.length > toldWordsMax || characters > toldCharactersMax) return false;
  return Object.keys(env).every((name) => /^[A-Za-z_]\w*$/.test(name) && !shellNames.test(name));
}

/** One compound command: a shell reads it whole before it begins, and so before it gives up what it reads from. */
export function commandScript({ argv, env }: ProcessRequest, { apart }: CommandStreams): string {
  const variables = Object.entries(env).map(([name, value]) => ` ${name}=${shellWord(value)}`);
  const told = variables.length === 0 ? '' : `export${variables.join('')}; `;
  const words = isShellLine(argv) ? [shellProgram, ...argv.slice(1)] : argv;
  return `{ ${told}exec ${words.map(shellWord).join(' ')} </dev/null${apart ? '' : ' 2>&1'}; }\n`;
}
