import { delimiter, isAbsolute } from 'node:path';
import { hostEnvironment } from './config.ts';

/** Attributes of every repository of ours: files pass byte for byte, whatever a commit's own attributes ask for. */
export const rawAttributes = '* -text -ident !eol !filter !working-tree-encoding !diff !merge\n';

/** Overrides of everything in a configuration that could run a program or lead elsewhere. */
export const ownSettings: readonly string[] = [
  'core.hooksPath=/dev/null',
  'core.attributesFile=/dev/null',
  'core.excludesFile=/dev/null',
  'core.fsmonitor=false',
  'core.untrackedCache=false',
  'core.alternateRefsCommand=true',
  'core.sshCommand=false',
  'core.askPass=false',
  'core.pager=cat',
  'core.quotePath=false',
  'credential.helper=',
  'gc.auto=0',
  'maintenance.auto=false',
  'gpg.program=false',
  'protocol.allow=never',
  'safe.directory=*',
  'submodule.recurse=false',
].flatMap((setting) => ['-c', setting]);

/** What of the process's environment git sees when it acts as the user (their filters, their configuration). */
const userNames = [
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TMPDIR',
  'XDG_CONFIG_HOME',
  'GIT_CONFIG_GLOBAL',
  'GIT_CONFIG_SYSTEM',
  'GIT_CONFIG_NOSYSTEM',
] as const;

const always = {
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  // History is what the commits say, whatever refs/replace or info/grafts put in its place.
  GIT_NO_REPLACE_OBJECTS: '1',
  // No file at all: an empty one makes git print advice that grafts are old, also to who fetches from us.
  GIT_GRAFT_FILE: '/dev/null/grafts',
  // A clone without all objects is asked for none: the first is not known to every git.
  GIT_NO_LAZY_FETCH: '1',
  GIT_ALLOW_PROTOCOL: 'none',
  GIT_EDITOR: 'false',
};

/** The environment of git on its own: nothing of ours, of the machine's or the user's, no GIT_DIR of a hook around us. */
export function ownEnvironment(): Record<string, string> {
  return {
    ...always,
    PATH: searchPath(),
    HOME: '/nonexistent',
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
  };
}

/** The environment of git that acts as the user: their own configuration and filters count, as on their command line. */
export function userEnvironment(): Record<string, string> {
  const own = hostEnvironment();
  const named: Record<string, string> = {};
  for (const name of userNames) {
    const value = own[name];
    if (value !== undefined) named[name] = value;
  }
  return { ...named, ...always, PATH: own['PATH'] ?? searchPath() };
}

/** PATH without folders relative to the cwd, which a checkout could fill. */
function searchPath(): string {
  const path = hostEnvironment()['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
  return path
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .join(delimiter);
}
