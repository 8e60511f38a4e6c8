/** The environment this process was started with: where git is found, and what the user's own git needs on `apply`. */
export function hostEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
