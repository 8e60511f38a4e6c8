/**
 * Whether a file's path fits a glob of a search: `*` and `?` within a name, `**` over folders, `{a,b}`; a glob without
 * a slash is asked of the name alone.
 */
export function globPattern(glob: string): (path: string) => boolean {
  const expression = new RegExp(`^${sourceOf(glob)}$`, 'u');
  const isName = !glob.includes('/');
  return (path) => expression.test(isName ? path.slice(path.lastIndexOf('/') + 1) : path);
}

function sourceOf(glob: string): string {
  let source = '';
  let depth = 0;
  for (let at = 0; at < glob.length; at += 1) {
    const sign = glob[at] ?? '';
    if (sign === '*' && glob[at + 1] === '*') {
      const isFolders = glob[at + 2] === '/';
      source += isFolders ? '(?:[^/]+/)*' : '.*';
      at += isFolders ? 2 : 1;
    } else if (sign === '*') source += '[^/]*';
    else if (sign === '?') source += '[^/]';
    else if (sign === '{' && glob.includes('}', at)) {
      depth += 1;
      source += '(?:';
    } else if (sign === '}' && depth > 0) {
      depth -= 1;
      source += ')';
    } else if (sign === ',' && depth > 0) source += '|';
    else source += sign.replace(/[\\^$.*+?()[\]{}|/]/u, '\\$&');
  }
  return source + ')'.repeat(depth);
}
