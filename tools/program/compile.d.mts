/** The folder that holds the compiled programs and `further` entries; undefined where it cannot be written. */
export function compiledCopy(further?: readonly string[]): Promise<string | undefined>;
