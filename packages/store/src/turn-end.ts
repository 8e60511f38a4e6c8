/**
 * Calls back once the turn of the event loop has ended, so that everything of one turn shares a write: `setImmediate`,
 * or what the simulation has in its place.
 */
export type TurnEnd = (callback: () => void) => void;
