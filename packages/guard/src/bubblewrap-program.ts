import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { promisify } from 'node:util';
import { AppError, messageOf } from '@switchyard/protocol';
import { installCommand } from './unavailable.ts';

/** The sandbox program of this machine and what it can do. */
export interface BubblewrapProgram {
  readonly path: string;
  readonly version: string;
  readonly hasBindFd: boolean;
  /** Whether it follows planted links while it sets up (CVE-2026-87766, mended in 0.12). */
  readonly followsPlantedLinks: boolean;
}

/** Where system packages put it. PATH is never asked: a workspace could stand on it. */
const usualPlaces = [
  '/usr/bin/bwrap',
  '/bin/bwrap',
  '/usr/local/bin/bwrap',
  '/run/current-system/sw/bin/bwrap',
];
const neededOptions = ['--disable-userns', '--json-status-fd', '--size', '--perms', '--args'];

/** Throws E_SANDBOX_UNAVAILABLE when it is missing, does not start, or is too old. */
export async function findBubblewrap(path?: string): Promise<BubblewrapProgram> {
  const place = path ?? usualPlaces.find(isProgram);
  if (place === undefined || !isProgram(place))
    throw unavailable(
      `bubblewrap is not installed${path === undefined ? '' : ` at ${path}`}. Install it: ${installCommand('bubblewrap')}`,
    );
  const help = await ask(place, '--help');
  const version = /\d+(?:\.\d+)+/.exec(await ask(place, '--version'))?.[0];
  if (version === undefined)
    throw unavailable(`${place} is not bubblewrap. Install it: ${installCommand('bubblewrap')}`);
  const missing = neededOptions.filter((option) => !help.includes(option));
  if (missing.length > 0)
    throw unavailable(
      `${place} ${version} is too old (no ${missing.join(', ')}); 0.8 or newer is needed. Update it: ${installCommand('bubblewrap')}`,
    );
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return {
    path: place,
    version,
    hasBindFd: help.includes('--ro-bind-fd'),
    followsPlantedLinks: major === 0 && minor < 12,
  };
}

function unavailable(text: string): AppError {
  return new AppError('E_SANDBOX_UNAVAILABLE', `Commands cannot be isolated: ${text}`);
}

async function ask(program: string, option: string): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, [option], { env: {}, timeout: 5000 });
    return `${stdout}${stderr}`;
  } catch (error) {
    throw unavailable(
      `${program} ${option} fails (${messageOf(error).split('\n')[0]}). Install it: ${installCommand('bubblewrap')}`,
    );
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there or not to be run: both mean no
  }
}
