import type { HubPlace } from './hub-place.ts';

/** Opens what depends on where the hub is, and opens it anew when that comes back at another address. */
export function perAddress<T>(
  locate: () => HubPlace,
  open: (place: HubPlace) => Promise<T>,
): () => Promise<T> {
  let opened: { url: string; value: Promise<T> } | undefined;
  return () => {
    const place = locate();
    if (opened?.url === place.httpUrl) return opened.value;
    const value = open(place);
    opened = { url: place.httpUrl, value };
    // Whoever asked hears of the error; the next one tries again.
    value.catch(() => (opened = undefined));
    return value;
  };
}
