/**
 * The limits that must be set inside: outside they would bind bwrap and all processes of the user. The shell that
 * starts a command anyway sets them, which spares a program; where its `ulimit` is none that we know, prlimit does.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { AppError } from '@switchyard/protocol';
import { enterScript } from './group-entry.ts';
import { defaultLimits, type ProcessRequest, type SandboxLimits } from './sandbox-request.ts';
import { installCommand } from './unavailable.ts';

/** What the kernel holds each process to. */
export interface ProcessLimits {
  readonly processes: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  readonly openFiles: number;
}

/** How limits are set on this machine. */
export interface LimitSetter {
  readonly way: 'shell' | 'prlimit';
  /** What this process may itself not go over, and so nothing that it starts. */
  readonly most: ProcessLimits;
}

/** Streams of a command: whether it has an input, and whether its two outputs come apart. */
export interface CommandStreams {
  readonly input: boolean;
  readonly apart: boolean;
}

const prlimitProgram = '/usr/bin/prlimit';
/**
 * Finds out whether the shell of this machine can, by trying it. Throws E_SANDBOX_UNAVAILABLE when nothing can.
 * `prlimit` asks for the other way at once.
 */
export function findLimitSetter(asked: 'auto' | 'prlimit'): LimitSetter {
  const most = readLimits(readFileSync('/proc/self/limits', 'utf8'));
  if (asked === 'auto' && isShellObeyed()) return { way: 'shell', most };
  if (existsSync(prlimitProgram)) return { way: 'prlimit', most };
  const text = `${prlimitProgram} is missing. Install it: ${installCommand('util-linux')}`;
  throw new AppError('E_SANDBOX_UNAVAILABLE', `Commands cannot be isolated: ${text}`);
}

function isShellObeyed(): boolean {
  const trial = { processes: 201, fileBytes: 202 * 1024, memoryBytes: 203 * 1024, openFiles: 204 };
  const script = `${limitScript(trial)}; while read -r line; do echo "$line"; done </proc/self/limits`;
  try {
    const said = execFileSync('/bin/sh', ['-c', script], {
      env: {},
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return isDeepStrictEqual(readLimits(said), trial);
  } catch {
    return false; // it cannot, or what it was given is lower still: there is the other way
  }
}

/** What a request gets: what it asks for or the default, and never more than the machine gives us. */
export function limitsOf(asked: SandboxLimits | undefined, most: ProcessLimits): ProcessLimits {
  return {
    processes: Math.min(asked?.processes ?? defaultLimits.processes, most.processes),
    fileBytes: Math.min(asked?.fileBytes ?? defaultLimits.fileBytes, most.fileBytes),
    memoryBytes: Math.min(asked?.memoryBytes ?? defaultLimits.memoryBytes, most.memoryBytes),
    openFiles: Math.min(defaultLimits.openFiles, most.openFiles),
  };
}

/** Reads the hard limits of `/proc/<pid>/limits`. */
export function readLimits(text: string): ProcessLimits {
  const valueOf = (name: string): number => {
    const value = new RegExp(`^${name}\\s+\\S+\\s+(\\S+)`, 'm').exec(text)?.[1];
    return value === undefined || value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value);
  };
  return {
    processes: valueOf('Max processes'),
    fileBytes: valueOf('Max file size'),
    memoryBytes: valueOf('Max data size'),
    openFiles: valueOf('Max open files'),
  };
}

/**
 * The command as bwrap starts it, first into its control group by these doors (group-entry.ts). Without an input it reads from the sandbox's own /dev/null: the one that it would
 * inherit was opened outside the sandbox, and through it root could change the mode of the machine's.
 */
export function limitedCommand(
  { limits, argv }: ProcessRequest,
  streams: CommandStreams,
  { way, most }: LimitSetter,
  doors: readonly number[],
): string[] {
  const enter = enterScript(doors);
  const values = limitsOf(limits, most);
  const joins = [...(streams.input ? [] : ['</dev/null']), ...(streams.apart ? [] : ['2>&1'])].join(' ');
  if (way === 'shell') return throughShell(argv, `${enter}${limitScript(values)} || exit 125; `, joins);
  const inner = joins === '' ? argv : throughShell(argv, '', joins);
  const limited = [...prlimit(values), ...inner];
  return enter === '' ? limited : throughShell(limited, enter, '');
}

export const shellProgram = '/bin/sh';

export function isShellLine([program, option, line]: readonly string[]): boolean {
  return (program === 'sh' || program === shellProgram) && option === '-c' && line !== undefined;
}

/** A shell line is run by the shell that sets the stage: that saves a process. */
function throughShell(argv: readonly string[], before: string, joins: string): string[] {
  const [, , line = '', ...rest] = argv;
  if (isShellLine(argv))
    return [shellProgram, '-c', `${before}${joins === '' ? '' : `exec ${joins}; `}${line}`, ...rest];
  return [shellProgram, '-c', `${before}exec "$@" ${joins}`, 'sh', ...argv];
}

/** Units as POSIX has them: blocks of 512 bytes for files, KiB for memory. The limit on processes has two names. */
function limitScript({ processes, fileBytes, memoryBytes, openFiles }: ProcessLimits): string {
  return (
    `{ ulimit -u ${processes} 2>/dev/null || ulimit -p ${processes}; } && ` +
    `ulimit -f ${Math.floor(fileBytes / 512)} && ulimit -d ${Math.floor(memoryBytes / 1024)} && ` +
    `ulimit -n ${openFiles} && ulimit -c 0`
  );
}

function prlimit({ processes, fileBytes, memoryBytes, openFiles }: ProcessLimits): string[] {
  const values = { nproc: processes, fsize: fileBytes, data: memoryBytes, nofile: openFiles, core: 0 };
  return [prlimitProgram, ...Object.entries(values).map(([name, value]) => `--${name}=${value}`), '--'];
}
