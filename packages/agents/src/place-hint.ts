import type { TaskAssignment } from '@switchyard/protocol';

/** What of the sandbox a command has met without knowing it: its own words tell nobody why. Empty: nothing. */
export function placeHint(output: string, { workspace }: Pick<TaskAssignment, 'workspace'>): string {
  const met = (words: RegExp): string | undefined => workspaceNamed(linesWith(words, output), workspace);
  const mounted = met(readOnly);
  if (mounted !== undefined)
    return `: ${mounted} is its workspace and stays where it is, so it can be neither removed nor renamed; empty it instead (git keeps no empty folder), or name the folder above it`;
  if (readOnly.test(output))
    return `: outside of its workspace (${workspace.slice(0, 5).join(', ')}) everything is read-only; name there what it is to change`;
  const made = met(/\bfile exists\b|\bEEXIST\b/i);
  return made === undefined
    ? ''
    : `: ${made} is its workspace, and there when it begins, if only empty; \`mkdir -p\` minds neither`;
}

const readOnly = /\bread-only file system\b|\bEROFS\b/i;

function linesWith(words: RegExp, output: string): string[] {
  return output.split('\n').filter((line) => words.test(line));
}

/** A workspace that one of the lines has between quotes, as programs write the path that they speak of. */
function workspaceNamed(lines: readonly string[], workspace: readonly string[]): string | undefined {
  const named = lines.flatMap((line) =>
    [...line.matchAll(/['"`‘“]([^'"`’”]+)['"`’”]/g)].map(([, path = '']) => path.replace(/\/+$/, '')),
  );
  return workspace.find((place) => named.some((path) => path === place || path.endsWith(`/${place}`)));
}
