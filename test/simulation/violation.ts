/** Something that must hold does not; the message begins with its number in DESIGN.md of this folder. */
export class Violation extends Error {}

/** Which invariant a violation is of. */
export function numberOf(violation: string | undefined): string | undefined {
  return violation?.split(':')[0];
}
