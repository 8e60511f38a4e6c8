/** Folders that the patterns of a workspace name (`packages/*`, `apps/**`, `!packages/old`), among these. */
export function matchingFolders(folders: readonly string[], patterns: readonly string[]): string[] {
  const wanted = patterns.filter((pattern) => !pattern.startsWith('!')).map(patternOf);
  const unwanted = patterns
    .filter((pattern) => pattern.startsWith('!'))
    .map((text) => patternOf(text.slice(1)));
  return folders.filter(
    (folder) =>
      wanted.some((pattern) => pattern.test(folder)) && !unwanted.some((pattern) => pattern.test(folder)),
  );
}

function patternOf(text: string): RegExp {
  const parts = text.replace(/^\.\//, '').replace(/\/+$/, '').split('/');
  const source = parts.map((part, index) => {
    const isLast = index === parts.length - 1;
    if (part === '**') return isLast ? '.+' : '(?:[^/]+/)*';
    const name = part.replace(/[.+^${}()|[\]\\?]/g, '\\$&').replaceAll('*', '[^/]*');
    return isLast ? name : `${name}/`;
  });
  return new RegExp(`^${source.join('')}$`);
}
