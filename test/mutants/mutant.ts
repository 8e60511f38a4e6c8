/**
 * One defence switched off: a place in a source file, and what stands there instead. The tests must notice. Paths are
 * from the root of the repository.
 */
export interface Mutant {
  /** The defence in words, as a promise that no longer holds. */
  readonly name: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly search: string;
  readonly replacement: string;
  /** Test files of which at least one test must fail; they run in the process that has the mutant. */
  readonly tests: readonly string[];
}

/** A mutant of a file that is named elsewhere; `more`: tests beside those that notice every mutant of that file. */
export type Off = readonly [name: string, search: string, replacement: string, more?: readonly string[]];

/** Makes mutants of one file out of what is switched off in it. */
export function offIn(file: string, tests: readonly string[]): (off: Off) => Mutant {
  return ([name, search, replacement, more = []]) => ({
    name,
    file,
    search,
    replacement,
    tests: [...tests, ...more],
  });
}

/** The text with the defence switched off. Throws when the place is not there exactly once: the list is out of date. */
export function mutate(text: string, { name, file, search, replacement }: Mutant): string {
  const places = text.split(search).length - 1;
  if (places !== 1) throw new Error(`"${name}": ${file} has its text ${places} times, not once`);
  if (search === replacement) throw new Error(`"${name}" changes nothing`);
  return text.replace(search, () => replacement);
}
