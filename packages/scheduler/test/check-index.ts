export { checkIndex, must } from '@switchyard/testkit';

/** A state or facts as text, maps and sets as lists, so that two can be compared. */
export function plain(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    one instanceof Map || one instanceof Set ? [...one] : one,
  );
}
