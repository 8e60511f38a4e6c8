/** Whether a path, or a folder above it, matches one of a plan's patterns. */
export type PathMatcher = (path: string) => boolean;

/**
 * Patterns as a plan writes them for scratch places: `**` any folders, `*` and `?` within one name, anything else
 * as it stands. A pattern that names a folder holds all that is in it.
 */
export function pathMatcher(patterns: readonly string[]): PathMatcher {
  const expressions = patterns.map(expressionOf);
  return (path) => expressions.some((expression) => expression.test(`${path}/`));
}

function expressionOf(pattern: string): RegExp {
  const parts = pattern
    .replace(/^(\.?\/)+/, '')
    .replace(/\/+$/, '')
    .split('/');
  const source = parts.map((part) => (part === '**' ? '(?:[^/]+/)*' : `${nameSource(part)}/`)).join('');
  return new RegExp(`^${source}`, 's');
}

function nameSource(part: string): string {
  return part
    .split(/([*?])/)
    .map((text) => {
      if (text === '*') return '[^/]*';
      if (text === '?') return '[^/]';
      return text.replace(/[.+^${}()|[\]\\]/g, '\\$&');
    })
    .join('');
}
