import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pc from 'picocolors';
import { readEnvironment } from './environment.ts';
import { logText } from './log-text.ts';

export const daemonNames = ['orchestrator', 'worker', 'reviewer'] as const;
export type DaemonName = (typeof daemonNames)[number];

/** Whether a command is one of the daemons, which parse their own flags. */
export function isDaemonName(name: string): name is DaemonName {
  return daemonNames.some((daemon) => daemon === name);
}

/** The file that a daemon starts from. */
export function daemonEntry(name: DaemonName): string {
  return fileURLToPath(new URL(`../../${name}/src/main.ts`, import.meta.url));
}

/** Program and arguments that start a daemon as a process of its own, from any folder. */
export function daemonCommand(
  name: DaemonName,
  flags: readonly string[],
): { program: string; args: string[] } {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return { program: process.execPath, args: ['--import', loader, daemonEntry(name), ...flags] };
}

/** Turns this process into the daemon: signals and exit codes are its own. `--no-sandbox` is as with `run`. */
export async function runDaemonHere(name: DaemonName, words: readonly string[]): Promise<void> {
  const entry = daemonEntry(name);
  const flags = words.flatMap((word) => (word === '--no-sandbox' ? ['--sandbox', 'off'] : [word]));
  process.argv = [process.execPath, entry, ...flags];
  if (process.stdout.isTTY) showLogsAsText(name);
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
