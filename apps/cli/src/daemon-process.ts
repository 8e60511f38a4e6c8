import { pathToFileURL } from 'node:url';
import { ownProcess, type OwnProcess } from '@switchyard/runtime';
import pc from 'picocolors';
import { readEnvironment } from '@switchyard/access';
import { logText } from './log-text.ts';

export const daemonNames = ['orchestrator', 'worker', 'reviewer'] as const;
export type DaemonName = (typeof daemonNames)[number];

/** Programs that run in this process in place of the command line, and parse their own flags. */
export const hostedNames = [...daemonNames, 'mcp'] as const;
export type HostedName = (typeof hostedNames)[number];

/** Whether a command is one of them. */
export function isHostedName(name: string): name is HostedName {
  return hostedNames.some((hosted) => hosted === name);
}

function hostedProgram(name: HostedName): OwnProcess {
  return ownProcess(new URL(`../../${name}/src/main.ts`, import.meta.url));
}

/** Program and arguments that start a daemon as a process of its own, from any folder. */
export function daemonCommand(
  name: DaemonName,
  flags: readonly string[],
): { program: string; args: string[] } {
  const { execArgv, entry } = hostedProgram(name);
  return { program: process.execPath, args: [...execArgv, entry, ...flags] };
}

/** Turns this process into the program: signals and exit codes are its own. `--no-sandbox` is as with `run`. */
export async function runHostedHere(name: HostedName, words: readonly string[]): Promise<void> {
  const { entry } = hostedProgram(name);
  const flags = words.flatMap((word) => (word === '--no-sandbox' ? ['--sandbox', 'off'] : [word]));
  process.argv = [process.execPath, entry, ...flags];
  // Standard output of the MCP server is its protocol.
  if (process.stdout.isTTY && name !== 'mcp') showLogsAsText(name);
  await import(pathToFileURL(entry).href);
}

/** On a screen, the daemon's lines of JSON are shown as those of `switchyard logs`; its file has them as they are. */
function showLogsAsText(name: DaemonName): void {
  const { stdout } = process;
  const write = stdout.write.bind(stdout);
  const paint = pc.createColors(!readEnvironment().noColor);
  stdout.write = (chunk: string | Uint8Array, ...rest: never[]): boolean => {
    const text = typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk);
    if (!text.startsWith('{')) return write(chunk, ...rest);
    const lines = text.trimEnd().split('\n');
    return write(lines.map((line) => `${logText(line, name, paint)}\n`).join(''), ...rest);
  };
}
