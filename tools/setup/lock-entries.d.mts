/** What package-lock.json (lockfileVersion 3) holds, as far as it is read here. */
export interface Lock {
  packages: Record<
    string,
    {
      name?: string;
      version?: string;
      integrity?: string;
      link?: boolean;
      optional?: boolean;
      optionalDependencies?: Record<string, string>;
    }
  >;
}
export function missingOptionals(lock: Lock): { path: string; entry: Lock['packages'][string] }[];
export function isInstalled(
  lock: Lock,
  installed: Partial<Lock>,
  isThere: (path: string) => boolean,
): boolean;
export function lockedWorkspaces(lock: Lock): { path: string; name: string; linked: boolean }[];
