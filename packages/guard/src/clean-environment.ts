/** What toolchains outside the system folders need inside. */
export interface ToolSettings {
  readonly searchPath: string;
  readonly env: Readonly<Record<string, string>>;
  /** The content of `.tool-versions` in the home folder; empty: none. */
  readonly versions: string;
}

/** The whole environment of a command but for what its request adds: nothing of the daemon's own gets in. */
export function cleanEnvironment({ searchPath, env }: ToolSettings, home: string): Record<string, string> {
  return {
    ...env,
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
