import { InvalidArgumentError } from 'commander';

/** A short name of one asking of a task, by when it asked: a task that asks again has another. */
export function askingName(since: number): string {
  return since.toString(36);
}

/** When it asked. Throws InvalidArgumentError. */
export function readAskingName(name: string): number {
  if (!/^[0-9a-z]{1,9}$/.test(name)) throw new InvalidArgumentError(`${name} names no asking.`);
  return Number.parseInt(name, 36);
}
