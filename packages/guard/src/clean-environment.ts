/** The whole environment of a command but for what its request adds: nothing of the daemon's own gets in. */
export function cleanEnvironment(searchPath: string, home: string): Record<string, string> {
  return {
    PATH: searchPath,
    HOME: home,
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    TMPDIR: '/tmp',
    SHELL: '/bin/sh',
    USER: 'agent',
    LOGNAME: 'agent',
  };
}
