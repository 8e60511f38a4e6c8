export { commaList, peerConfigShape, type PeerConfig } from './peer-config.ts';
export { attach, startOn, type Attachment, type AttachOptions } from './attachment.ts';
export { findSurroundings, type DiscoverRepository, type Surroundings } from './surroundings.ts';
export { givenToken, placeOfUrl, readOrchestratorFile, Tokens, type HubPlace } from './hub-place.ts';
export { remotePrefix, takePeerFolder, type PeerFolder } from './peer-folder.ts';
export { logRelay, type LogSender } from './log-relay.ts';
export { perAddress } from './per-address.ts';
export { sandboxedGit, type GitSandbox } from './sandboxed-git.ts';
export { runDaemon, type RunningDaemon } from './run-daemon.ts';
