/** WebSocket close codes of Switchyard, 4400–4499 (API; RFC 6455 section 7.4.2 leaves 4000–4999 to applications). */
export const closeCodes = {
  badFrame: { code: 4400, text: 'a frame that is no msgpack envelope, or a text frame', reconnect: false },
  unauthorized: { code: 4401, text: 'the token is wrong, used up or revoked', reconnect: false },
  forbidden: {
    code: 4403,
    text: 'the role may not send this message, or the sender is not the peer',
    reconnect: false,
  },
  unknownMessage: { code: 4404, text: 'a message type that the table does not have', reconnect: false },
  helloTimeout: { code: 4408, text: 'no hello in time', reconnect: true },
  replaced: { code: 4409, text: 'the same peer connected again; the newer link stays', reconnect: false },
  frameTooLarge: { code: 4413, text: 'a frame over the limit of its lane', reconnect: false },
  badPayload: { code: 4422, text: 'a payload that does not fit its schema', reconnect: false },
  versionMismatch: { code: 4426, text: 'another version of the protocol', reconnect: false },
  tooSlow: { code: 4429, text: 'the peer did not keep up with its control lane', reconnect: true },
  shuttingDown: { code: 4450, text: 'the hub is going down; come back', reconnect: true },
  silent: { code: 4451, text: 'no heartbeat', reconnect: true },
} as const;
export type CloseName = keyof typeof closeCodes;

/** Whether a peer should try again after this close code; unknown codes (network trouble) say yes. */
export function mayReconnect(code: number): boolean {
  const known = Object.values(closeCodes).find((entry) => entry.code === code);
  return known?.reconnect ?? true;
}
