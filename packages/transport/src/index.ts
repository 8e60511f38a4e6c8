export type { Channel, Dial } from './channel.ts';
export { memoryPair, type MemoryPairOptions } from './memory-pair.ts';
export type { SendExtra } from './envelope-writer.ts';
export type {
  ConnectedPeer,
  Doubt,
  Grant,
  Hub,
  HubCounts,
  HubHandler,
  HubOptions,
  Liveness,
} from './hub-interface.ts';
export { createHub } from './hub.ts';
export { heartbeatsOn, type Heartbeats, type OwnHeartbeatsOptions } from './heartbeats.ts';
export type { LaneGreeting } from './heartbeat-lane.ts';
export { threadHeartbeats, type ThreadHeartbeatsOptions, type ThreadPlace } from './thread-heartbeats.ts';
export { hubAddress } from './hub-address.ts';
export type { Link, LinkHandler, LinkOptions, LinkState, Outbox, RequestOptions } from './link-interface.ts';
export { createLink } from './link.ts';
export { bearerToken, listen, type Listener, type ListenOptions } from './listen.ts';
export { fingerprintOf, webSocketDial, type WebSocketDialOptions } from './dial.ts';
export { createCertificate, type Certificate } from './certificate.ts';
export { isLoopback } from './loopback.ts';
export {
  invitationMs,
  openTokenBook,
  TokenBook,
  type InvitedRole,
  type TokenBookOptions,
} from './token-book.ts';
