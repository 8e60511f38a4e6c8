/**
 * ripgrep as a hint: which files below a pinned folder could hold one of some texts. It works by names and could be
 * led astray while somebody exchanges them, so nothing of what it reads is ever shown: the guard opens each file that
 * it names in its own way, and looks itself.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { pathOf } from './descriptor.ts';

export interface CandidateSearch {
  readonly program: string;
  /** O_PATH descriptor of the folder. */
  readonly folder: number;
  readonly literals: readonly string[];
  readonly ignoresCase: boolean;
  /** Larger files are left out. */
  readonly fileBytesMax: number;
}

/** Longer, and the guard looks through the tree itself. */
const searchMs = 5000;
const systemPrograms = ['/usr/bin/rg', '/usr/local/bin/rg', '/bin/rg'];

/** The program of this machine, never one from PATH; undefined where there is none. */
export function findRipgrep(): string | undefined {
  return systemPrograms.find((program) => existsSync(program));
}

const options =
  '--no-config --no-ignore --hidden --text --no-follow --no-messages --encoding none --fixed-strings --files-with-matches --null';

/** Files below the folder in which one of the texts stands, in no order; undefined when it could not be told. */
export function findCandidates(search: CandidateSearch): Promise<readonly string[] | undefined> {
  const texts = search.literals.flatMap((literal) => ['-e', literal]);
  const letters = search.ignoresCase ? ['--ignore-case'] : ['--case-sensitive'];
  const size = ['--max-filesize', String(search.fileBytesMax)];
  const child = spawn(search.program, [...options.split(' '), ...letters, ...size, ...texts, '--', '.'], {
    cwd: pathOf(search.folder),
    env: { LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: searchMs,
    killSignal: 'SIGKILL',
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    child.once('error', () => resolve(undefined)); // no such program: the guard looks itself
    child.once('close', (code) => {
      const names = Buffer.concat(chunks).toString('utf8').split('\0');
      // 1: nothing found; 2: not all could be read, or an option that this version does not know.
      resolve(code === 0 || code === 1 ? names.filter((name) => name !== '').map(fromFolder) : undefined);
    });
  });
}

function fromFolder(name: string): string {
  return name.replace(/^\.\//, '');
}
