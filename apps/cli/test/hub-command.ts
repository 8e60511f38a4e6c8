import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { StandIn } from './stand-in-hub.ts';

const program = fileURLToPath(new URL('../bin/switchyard.mjs', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HubCommand {
  readonly folder: string;
  readonly hub: StandIn | undefined;
  readonly token?: string | undefined;
  /** Called with all of standard output so far, to send signals. */
  readonly seen?: ((stdout: string, kill: (signal: NodeJS.Signals) => void) => void) | undefined;
  /** Called with all of standard error so far. */
  readonly errors?: ((stderr: string) => void) | undefined;
}

/** Runs a command of the program beside a hub that stands in for an orchestrator. */
export function switchyardWith(
  args: readonly string[],
  { folder, hub, token = hub?.token, seen, errors }: HubCommand,
): Promise<Ended> {
  const env = { PATH: process.env['PATH'], HOME: folder, SWITCHYARD_HUB: hub?.url, SWITCHYARD_TOKEN: token };
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, env, timeout: 60_000 });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk: Buffer) => {
      texts[name] += chunk.toString();
      if (name === 'stdout') seen?.(texts.stdout, (signal) => child.kill(signal));
      else errors?.(texts.stderr);
    });
  }
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...texts })));
}
