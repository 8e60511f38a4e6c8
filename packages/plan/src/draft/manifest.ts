import { z } from 'zod';
import type { RepositoryFiles } from './project.ts';

const names = z.record(z.string(), z.unknown());
const packageFile = z.object({
  name: z.string().optional().catch(undefined),
  scripts: z.record(z.string(), z.string()).optional().catch(undefined),
  workspaces: z
    .union([
      z.array(z.string()),
      z.object({ packages: z.array(z.string()) }).transform(({ packages }) => packages),
    ])
    .optional()
    .catch(undefined),
  dependencies: names.optional().catch(undefined),
  devDependencies: names.optional().catch(undefined),
  peerDependencies: names.optional().catch(undefined),
  optionalDependencies: names.optional().catch(undefined),
});
export type PackageFile = z.infer<typeof packageFile>;

const projectFile = z.object({
  name: z.string().optional().catch(undefined),
  targets: names.optional().catch(undefined),
  implicitDependencies: z.array(z.string()).optional().catch(undefined),
});
export type ProjectFile = z.infer<typeof projectFile>;

/** A package.json; one that is broken counts as none. */
export function readPackage(files: RepositoryFiles, path: string): PackageFile | undefined {
  return packageFile.safeParse(jsonOf(files.text(path))).data;
}

/** A project.json of Nx. */
export function readProject(files: RepositoryFiles, path: string): ProjectFile | undefined {
  return projectFile.safeParse(jsonOf(files.text(path))).data;
}

/** JSON, also with the comments and commas that tools allow; undefined: it is none. */
export function jsonOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  for (const candidate of [text, withoutComments(text)]) {
    try {
      return JSON.parse(candidate);
    } catch {
      // The next form of it.
    }
  }
  return undefined;
}

function withoutComments(text: string): string {
  return text
    .replace(
      /("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[^]*?\*\//g,
      (_all, quoted: string | undefined) => quoted ?? '',
    )
    .replace(/,(\s*[}\]])/g, '$1');
}

/** Everything a package names as needed. */
export function neededBy(file: PackageFile): string[] {
  const { dependencies, devDependencies, peerDependencies, optionalDependencies } = file;
  return [dependencies, devDependencies, peerDependencies, optionalDependencies].flatMap((each) =>
    Object.keys(each ?? {}),
  );
}
