/** Cheaper than `expect`, for what is checked after every fact. Throws an Error with the message. */
export function must(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}
