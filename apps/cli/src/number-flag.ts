import { InvalidArgumentError } from 'commander';

/** The value of a flag that is a whole number from 0 to `most`. Throws what commander prints as a usage error. */
export function wholeNumber(text: string, most: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(number <= most)) throw new InvalidArgumentError(`It must be a number from 0 to ${most}.`);
  return number;
}
