/**
 * Which versions of tools hold where a project names none: `~/.tool-versions` (asdf) and the tools of mise's own
 * configuration, of which nothing else may be seen: both files can hold secrets, and mise's often does.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const toolLine = /^([\w:./@-]{1,100})((?:\s+[\w.:@+-]{1,100})+)\s*$/;
const sizeMax = 256 * 1024;

/** The content of a `.tool-versions`: tool and versions a line, sorted; empty where nothing is set. */
export function toolVersions(home: string): string {
  const versions = new Map<string, string>();
  const asdf = readText(join(home, '.tool-versions')).split('\n');
  for (const line of [...toolsOfMise(readText(join(home, '.config/mise/config.toml'))), ...asdf]) {
    const [, tool, all] = toolLine.exec(line.replace(/#.*/, '')) ?? [];
    if (tool !== undefined && all !== undefined) versions.set(tool, all.trim().replace(/\s+/g, ' '));
  }
  return [...versions]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([tool, all]) => `${tool} ${all}\n`)
    .join('');
}

/** The lines of `[tools]`: `node = "22"`, `python = ["3.13", "3.12"]`, `"npm:prettier" = { version = "3" }`. */
function toolsOfMise(text: string): string[] {
  const tools = /^\[tools\]\s*$(.*?)(?=^\[|(?![^]))/ms.exec(text)?.[1] ?? '';
  return tools.split('\n').flatMap((line) => {
    const [, name, value] = /^\s*["']?([^"'=\s]+)["']?\s*=\s*(.+)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return [];
    const wanted = value.startsWith('{')
      ? (/\bversion\s*=\s*(["'][^"']*["'])/.exec(value)?.[1] ?? '')
      : value;
    const all = [...wanted.matchAll(/["']([^"']*)["']/g)].map(([, version]) => version ?? '');
    return all.length === 0 ? [] : [`${name} ${all.join(' ')}`];
  });
}

function readText(path: string): string {
  try {
    const text = readFileSync(path, 'utf8');
    return text.length > sizeMax ? '' : text;
  } catch {
    return ''; // mostly not there; what cannot be read sets nothing
  }
}
