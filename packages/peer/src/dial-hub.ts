import { webSocketDial, type Dial } from '@switchyard/transport';
import type { HubPlace } from './hub-place.ts';

/** Dials the hub; looks for it anew each time, since it may have come back at another address. */
export function dialHub(locate: () => HubPlace, token: () => string): Dial {
  return async (lane) => {
    const { url, fingerprint } = locate();
    const dial = webSocketDial({ url, token, ...(fingerprint !== undefined && { fingerprint }) });
    return dial(lane);
  };
}
