import type { HubPlace } from './hub-place.ts';

/**
 * Opens what depends on where the hub is. A pinned connection is opened anew when the hub comes back at another
 * address; on the loopback `open` is given a place whose address is asked for at each use.
 */
export function perAddress<T>(
  locate: () => HubPlace,
  open: (place: HubPlace) => Promise<T>,
): () => Promise<T> {
  let opened: { key: string; value: Promise<T> } | undefined;
  return () => {
    const place = locate();
    const key = place.fingerprint === undefined ? 'loopback' : place.httpUrl;
    if (opened?.key === key) return opened.value;
    const value = open(place);
    opened = { key, value };
    // Whoever asked hears of the error; the next one tries again.
    value.catch(() => (opened = undefined));
    return value;
  };
}
