/** What the command line tool reads of the environment; nothing else of it does. */
export interface Environment {
  /** A token by environment, since command lines can be read by others. */
  readonly token: string | undefined;
  /** The hub to talk to, instead of the one of this repository. */
  readonly hub: string | undefined;
  readonly fingerprint: string | undefined;
  readonly noColor: boolean;
  /** Repository and state are copies that go with this command: nobody is told how to go on with them. */
  readonly thrownAway: boolean;
  /** All of it, for children and for the place of the state folder. */
  readonly all: Readonly<Record<string, string | undefined>>;
}

/** Reads the environment once. */
export function readEnvironment(
  all: Readonly<Record<string, string | undefined>> = process.env,
): Environment {
  return {
    token: nonEmpty(all['SWITCHYARD_TOKEN']),
    hub: nonEmpty(all['SWITCHYARD_HUB']),
    fingerprint: nonEmpty(all['SWITCHYARD_FINGERPRINT']),
    noColor: nonEmpty(all['NO_COLOR']) !== undefined || all['TERM'] === 'dumb',
    thrownAway: nonEmpty(all['SWITCHYARD_THROWN_AWAY']) !== undefined,
    all,
  };
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}

/** The environment for daemons of this repository: without what names a hub elsewhere. */
export function daemonEnvironment(environment: Environment): Record<string, string | undefined> {
  const elsewhere = ['SWITCHYARD_HUB', 'SWITCHYARD_TOKEN', 'SWITCHYARD_FINGERPRINT'];
  return Object.fromEntries(Object.entries(environment.all).filter(([name]) => !elsewhere.includes(name)));
}
