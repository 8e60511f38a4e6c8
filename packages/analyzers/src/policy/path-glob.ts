/** A path pattern as a regular expression: `*` and `?` inside a name, `**` across folders, everything else as it is. */
export function globPattern(glob: string): RegExp {
  const source = glob
    .replace(/^\.\//, '')
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((part) => tokens[part] ?? part.replace(/[\\^$.|+()[\]{}]/g, '\\$&'))
    .join('');
  return new RegExp(`^${source}$`);
}

const tokens: Readonly<Record<string, string>> = {
  '**/': '(?:[^/]+/)*',
  '**': '.*',
  '*': '[^/]*',
  '?': '[^/]',
};

/** Whether a path fits one of the patterns; a pattern that names a folder stands for all in it. */
export function fitsGlob(path: string, globs: readonly string[]): boolean {
  return globs.some((glob) => globPattern(glob).test(path) || path.startsWith(`${glob.replace(/\/$/, '')}/`));
}
