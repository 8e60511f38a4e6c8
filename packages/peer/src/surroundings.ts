import { join, resolve } from 'node:path';
import { AppError, isAppError, slugOf } from '@switchyard/protocol';
import { openStateFolder, repositoryStateRoot, stateRoot, type StateFolder } from '@switchyard/runtime';
import type { PeerConfig } from './peer-config.ts';
import { placeOfUrl, readOrchestratorFile, type HubPlace } from './hub-place.ts';

/** Where a daemon belongs: to the repository of this machine, or to a hub elsewhere. */
export interface Surroundings {
  readonly state: StateFolder;
  /** The hub is another machine's: the daemon has a state folder of its own, and its log is told to the hub. */
  readonly isRemote: boolean;
  /** Where the hub is now. Throws AppError E_UNREACHABLE while nobody says. */
  readonly locate: () => HubPlace;
}

/** Finds the git repository around a folder; `repo` does it. */
export type DiscoverRepository = (folder: string) => Promise<{ readonly gitCommonDir: string }>;

/** Finds the state folder and the hub. Throws AppError E_NOT_A_REPOSITORY and the like, E_STORAGE. */
export async function findSurroundings(
  config: PeerConfig,
  discover: DiscoverRepository,
): Promise<Surroundings> {
  const { hub } = config;
  const local = await localState(config, discover);
  if (local !== undefined) {
    return {
      state: local,
      isRemote: false,
      locate: () => (hub === undefined ? announced(local) : placeOfUrl(hub, config.fingerprint)),
    };
  }
  const place = placeOfUrl(hub ?? '', config.fingerprint);
  const root = config.state ?? join(stateRoot(config.env), 'remote', slugOf(new URL(place.url).host));
  return { state: openStateFolder(resolve(root)), isRemote: true, locate: () => place };
}

/** The repository's state folder: asked for, or the one around us, unless the hub that was named is another one. */
async function localState(
  config: PeerConfig,
  discover: DiscoverRepository,
): Promise<StateFolder | undefined> {
  const { hub, repository, state } = config;
  if (repository !== undefined || hub === undefined) {
    const root = state ?? (await repositoryState(config, discover));
    return openStateFolder(resolve(root));
  }
  if (state !== undefined) return undefined;
  try {
    const around = join(await repositoryState(config, discover));
    const found = readOrchestratorFile(join(around, 'orchestrator.json'));
    return found?.url === hub ? openStateFolder(around) : undefined;
  } catch (error) {
    // Not in a repository: the hub is elsewhere.
    if (isAppError(error)) return undefined;
    throw error;
  }
}

async function repositoryState(config: PeerConfig, discover: DiscoverRepository): Promise<string> {
  const user = await discover(resolve(config.repository ?? '.'));
  return repositoryStateRoot(stateRoot(config.env), user.gitCommonDir);
}

function announced(state: StateFolder): HubPlace {
  const place = readOrchestratorFile(state.orchestratorFile);
  if (place !== undefined) return place;
  throw new AppError(
    'E_UNREACHABLE',
    `no orchestrator runs for this repository (state folder ${state.root})`,
  );
}
