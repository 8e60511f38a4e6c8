import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A sandbox program between the guard and bwrap: it has the arguments at hand as a list of bytes (`options` before the
 * `--`, `command` behind it), may change them, and becomes bwrap. So one defence can be taken away while all else is
 * real, and what bwrap was told can be looked at.
 */
export function otherBwrap(folder: string, change = ''): string {
  const path = join(folder, 'bwrap');
  const script = `#!/usr/bin/python3 -IS
import os, sys
if sys.argv[1] in ('--help', '--version'): os.execv('/usr/bin/bwrap', ['bwrap', sys.argv[1]])
told = sys.argv[1:sys.argv.index('--')]
options = open(3, 'rb', closefd=False).read().split(b'\\0')[:-1]
command = [os.fsencode(word) for word in sys.argv[sys.argv.index('--') + 1:]]
def drop(name, values=0):
  while name in options: del options[options.index(name):options.index(name) + 1 + values]
def drop_pair(name, value):
  at = [n for n in range(len(options) - 1) if options[n:n + 2] == [name, value]]
  for n in reversed(at): del options[n:n + 2]
def replace(name, *others):
  at = options.index(name)
  options[at:at + 1] = others
def tell(name, content): open(os.path.join(${JSON.stringify(folder)}, name), 'wb').write(content)
${change}
os.execv('/usr/bin/bwrap', [b'bwrap', *options, b'--', *command])
`;
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}

/** What bwrap was told last, by an `otherBwrap` that tells. */
export interface Told {
  /** On its command line, where every process of the machine can read it. */
  readonly commandLine: readonly string[];
  readonly options: readonly string[];
  readonly environment: readonly string[];
  /** The filter, as handed over. */
  readonly filter: Buffer;
}

/** The change that makes an `otherBwrap` tell. */
export const telling = `
tell('command-line', '\\0'.join(sys.argv[1:]).encode())
tell('options', b'\\0'.join(options))
tell('environment', open('/proc/self/environ', 'rb').read())
if b'--seccomp' in options: tell('filter', os.pread(int(options[options.index(b'--seccomp') + 1]), 1 << 20, 0))
`;

export function whatWasTold(folder: string): Told {
  const words = (name: string): string[] =>
    readFileSync(join(folder, name), 'utf8').split('\0').filter(Boolean);
  const filter = join(folder, 'filter');
  return {
    commandLine: words('command-line'),
    options: words('options'),
    environment: words('environment'),
    filter: existsSync(filter) ? readFileSync(filter) : Buffer.alloc(0),
  };
}
